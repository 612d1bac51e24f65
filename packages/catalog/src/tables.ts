import type {
  AuditEntry,
  LogRecord,
  ProofRecord,
  RepositoryStatistics,
  RunRecord,
  ScheduleMiss,
  SnapshotRecord,
  StageRecord,
} from "@comeback/core";
import type { Generated, GeneratedAlways } from "kysely";

/** A record as a table has it: what may be missing is null. */
export type Row<T> = {
  -readonly [K in keyof T]-?: undefined extends T[K] ? Exclude<T[K], undefined> | null : T[K];
};

/** Whose a row is. What has a run's id alone is its run's host's. */
interface OfHost {
  host: string;
}

/** The newest schema, as migrations/ make it; columns in snake_case there. */
export interface Tables {
  catalogMeta: { key: string; value: string };
  runs: Row<RunRecord>;
  stages: Row<StageRecord>;
  logLines: Row<LogRecord>;
  /** `items` is JSON. */
  snapshots: OfHost & Omit<Row<SnapshotRecord>, "items"> & { items: string };
  /** Those of the same moment are told apart by their order. */
  proofs: OfHost & Row<ProofRecord> & { number: GeneratedAlways<number> };
  statistics: OfHost & Row<RepositoryStatistics>;
  misses: OfHost & Row<ScheduleMiss>;
  scheduleMarks: OfHost & { plan: string; trigger: string; atMs: number };
  /** The records are JSON. Kept in step by plan-states.ts, in the transactions that change them. */
  planStates: OfHost & {
    plan: string;
    lastRunId: string | null;
    lastRun: string | null;
    /** Where it is the last one too, that record is not there twice. */
    lastGoodRunId: string | null;
    lastGoodRun: string | null;
    isRunning: Generated<number>;
    lastProof: string | null;
    openMisses: Generated<number>;
  };
  newestSnapshots: OfHost & {
    plan: string;
    source: string;
    destination: string;
    record: string;
  };
  /** `details` is JSON. */
  auditEntries: Omit<Row<AuditEntry>, "details"> & { details: string };
  auditHead: { id: number; sequence: number; hash: string };
  notes: OfHost & { key: string; value: string };
  historySources: OfHost & { id: GeneratedAlways<number>; plan: string; source: string };
  historySnapshots: {
    number: GeneratedAlways<number>;
    sourceId: number;
    snapshotId: string;
    atMs: number;
    isComplete: number;
  };
  /** First and last are numbers of `historySnapshots`; the last is null where it is still so. */
  fileVersions: {
    sourceId: number;
    path: string;
    firstNumber: number;
    lastNumber: number | null;
    sizeBytes: number;
    modifiedAtMs: number;
    contentHash: string;
  };
}

export const RUN_COLUMNS = [
  "id",
  "plan",
  "host",
  "trigger",
  "backupType",
  "scheduledForMs",
  "startedAtMs",
  "endedAtMs",
  "outcome",
  "message",
  "processId",
] as const satisfies readonly (keyof RunRecord)[];

export const STAGE_COLUMNS = [
  "runId",
  "sequence",
  "stage",
  "subject",
  "startedAtMs",
  "endedAtMs",
  "outcome",
  "attempts",
  "message",
  "errorCode",
] as const satisfies readonly (keyof StageRecord)[];

export const LOG_COLUMNS = [
  "runId",
  "sequence",
  "atMs",
  "level",
  "stage",
  "subject",
  "text",
] as const satisfies readonly (keyof LogRecord)[];

export const SNAPSHOT_COLUMNS = [
  "runId",
  "plan",
  "source",
  "destination",
  "snapshotId",
  "copiedFrom",
  "backupType",
  "atMs",
  "files",
  "sizeBytes",
  "addedBytes",
  "storedBytes",
  "items",
  "outcome",
  "removedAtMs",
] as const satisfies readonly (keyof SnapshotRecord)[];

export const PROOF_COLUMNS = [
  "runId",
  "plan",
  "destination",
  "snapshotId",
  "kind",
  "atMs",
  "tookMs",
  "outcome",
  "message",
] as const satisfies readonly (keyof ProofRecord)[];

export const STATISTICS_COLUMNS = [
  "destination",
  "atMs",
  "snapshots",
  "packs",
  "sizeBytes",
] as const satisfies readonly (keyof RepositoryStatistics)[];

export const MISS_COLUMNS = [
  "plan",
  "trigger",
  "scheduledForMs",
  "noticedAtMs",
  "reason",
  "caughtUpBy",
] as const satisfies readonly (keyof ScheduleMiss)[];

export const AUDIT_COLUMNS = [
  "sequence",
  "atMs",
  "actor",
  "action",
  "subject",
  "details",
  "previousHash",
  "hash",
] as const satisfies readonly (keyof AuditEntry)[];
