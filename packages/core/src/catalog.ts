import type { SourceItem } from "./protected-source.ts";

/** Times are milliseconds since the Unix epoch, sizes bytes. */
export const RUN_OUTCOMES = ["ok", "warning", "failed", "skipped"] as const;
export type RunOutcome = (typeof RUN_OUTCOMES)[number];

export const BACKUP_TYPES = ["full", "differential", "incremental"] as const;
export type BackupType = (typeof BACKUP_TYPES)[number];

export const RUN_STAGES = [
  "preflight",
  "quiesce",
  "snapshot",
  "resume",
  "capture",
  "release",
  "verify",
  "copy",
  "retain",
  "report",
] as const;
export type RunStage = (typeof RUN_STAGES)[number];

export const RUN_TRIGGERS = ["manual", "schedule", "catch-up"] as const;
export type RunTrigger = (typeof RUN_TRIGGERS)[number];

export interface RunRecord {
  /** Sorts by time: "20261128-020000-4f2a". */
  readonly id: string;
  readonly plan: string;
  readonly host: string;
  readonly trigger: RunTrigger;
  /** What a run of the plan makes; absent where it only copies or retains. */
  readonly backupType?: BackupType | undefined;
  /** The moment of the schedule that it answers. */
  readonly scheduledForMs?: number | undefined;
  readonly startedAtMs: number;
  readonly endedAtMs?: number | undefined;
  /** Absent while it runs, and where it never ended. */
  readonly outcome?: RunOutcome | undefined;
  /** The worst thing that happened, in one line. */
  readonly message?: string | undefined;
  readonly processId: number;
}

export interface StageRecord {
  readonly runId: string;
  /** Counts from 0 within the run. */
  readonly sequence: number;
  readonly stage: RunStage;
  /** The source, destination or copy it is about. */
  readonly subject?: string | undefined;
  readonly startedAtMs: number;
  readonly endedAtMs?: number | undefined;
  readonly outcome?: RunOutcome | undefined;
  readonly attempts: number;
  readonly message?: string | undefined;
  /** Of `ErrorCode`, where it failed. */
  readonly errorCode?: string | undefined;
}

export interface LogRecord {
  readonly runId: string;
  /** Counts from 0 within the run. */
  readonly sequence: number;
  readonly atMs: number;
  readonly level: "debug" | "info" | "warning" | "error";
  readonly stage?: RunStage | undefined;
  readonly subject?: string | undefined;
  readonly text: string;
}

/** A snapshot that a run made, or copied, in one destination. */
export interface SnapshotRecord {
  readonly runId: string;
  readonly plan: string;
  readonly source: string;
  readonly destination: string;
  readonly snapshotId: string;
  /** The snapshot it was copied from; absent where it was captured. */
  readonly copiedFrom?: string | undefined;
  readonly backupType: BackupType;
  /** The moment whose state it holds. */
  readonly atMs: number;
  readonly files: number;
  readonly sizeBytes: number;
  /** New data, before and after compression. */
  readonly addedBytes: number;
  readonly storedBytes: number;
  readonly items: readonly SourceItem[];
  readonly outcome: RunOutcome;
  /** When retention removed it. */
  readonly removedAtMs?: number | undefined;
}

/** One thing that was proven of a destination or a snapshot: a check, a restore test. */
export interface ProofRecord {
  readonly runId: string;
  readonly plan: string;
  readonly destination: string;
  readonly snapshotId?: string | undefined;
  readonly kind: "check" | "restore-test";
  readonly atMs: number;
  readonly outcome: RunOutcome;
  readonly message: string;
}

/** What a repository looked like after a run. */
export interface RepositoryStatistics {
  readonly destination: string;
  readonly atMs: number;
  readonly snapshots: number;
  readonly packs: number;
  readonly sizeBytes: number;
}

/** A moment of a schedule at which nothing was started. */
export interface ScheduleMiss {
  readonly plan: string;
  readonly trigger: string;
  readonly scheduledForMs: number;
  readonly noticedAtMs: number;
  /** "down", "late", "overrun", "blocked", "start-failed", "reconfigured". */
  readonly reason: string;
  /** The run that made up for it. */
  readonly caughtUpBy?: string | undefined;
}

/** An entry of the audit log, chained to the one before. */
export interface AuditEntry {
  /** Counts from 1, without a gap. */
  readonly sequence: number;
  readonly atMs: number;
  /** Who: "root@web1", "daemon@web1". */
  readonly actor: string;
  /** What: "run.start", "retention.remove", "snapshot.hold", "undo.clear", "configuration.load" … */
  readonly action: string;
  readonly subject: string;
  readonly details: Readonly<Record<string, string | number | boolean>>;
  /** `hash` of the entry before; 64 zeros for the first. */
  readonly previousHash: string;
  /** SHA-256, in hex, of everything above in canonical JSON. */
  readonly hash: string;
}

export type NewAuditEntry = Omit<AuditEntry, "sequence" | "previousHash" | "hash">;

/** One version of a path, and the snapshots that hold it. */
export interface FileVersion {
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
  /** Equal where the content is equal. */
  readonly contentHash: string;
  /** Of the snapshots of its plan and source: the first and the last that hold this version. */
  readonly firstSnapshotId: string;
  readonly firstAtMs: number;
  readonly lastSnapshotId: string;
  readonly lastAtMs: number;
}

/** A path that a backup found new, changed or gone. */
export interface FileChange {
  readonly path: string;
  /** Absent where the path is gone. */
  readonly version?: Pick<FileVersion, "sizeBytes" | "modifiedAtMs" | "contentHash"> | undefined;
}

export interface RunFilter {
  readonly plan?: string | undefined;
  readonly outcome?: RunOutcome | undefined;
  readonly sinceMs?: number | undefined;
  /** The newest so many. */
  readonly limit: number;
}

/** What `status` needs to know of one plan; newest of each. */
export interface PlanState {
  readonly plan: string;
  readonly lastRun?: RunRecord | undefined;
  /** The last run that ended ok or with a warning. */
  readonly lastGoodRun?: RunRecord | undefined;
  readonly isRunning: boolean;
  /** For each source and destination: its newest good snapshot that was not removed. */
  readonly newest: readonly SnapshotRecord[];
  readonly lastProof?: ProofRecord | undefined;
  readonly openMisses: number;
}

/**
 * The memory of what was done: runs, schedules, audit. Losing it loses history, never a backup.
 *
 * - A call that resolved is durable, and seen by every later call of every process.
 * - Every write is atomic. `saveRun`, `saveStage`, `saveSnapshot` and `saveMiss` are idempotent: the
 *   last one of the same key (of a miss: plan, trigger and moment) counts. Records of a run may come in any order, also before the run itself.
 * - Several processes may work with one catalog at once; audit entries of all are one chain.
 * - Where nothing can be written (a full disk), calls reject with `catalog.unusable`, and what was
 *   written before stays readable. Nobody's backup fails because of it: the caller warns.
 * - Lists are newest first unless it says otherwise.
 */
export interface CatalogStore extends AsyncDisposable {
  saveRun(run: RunRecord): Promise<void>;
  saveStage(stage: StageRecord): Promise<void>;
  /** In ascending order of `sequence`. */
  appendLog(lines: readonly LogRecord[]): Promise<void>;
  saveSnapshot(snapshot: SnapshotRecord): Promise<void>;
  markRemoved(destination: string, snapshotIds: readonly string[], atMs: number): Promise<void>;
  saveProof(proof: ProofRecord): Promise<void>;
  saveStatistics(statistics: RepositoryStatistics): Promise<void>;

  findRun(id: string): Promise<RunRecord | undefined>;
  listRuns(filter: RunFilter): Promise<RunRecord[]>;
  /** Runs that never ended. */
  listOpenRuns(): Promise<RunRecord[]>;
  /** In order of `sequence`. */
  listStages(runId: string): Promise<StageRecord[]>;
  /** In order of `sequence`, those after `afterSequence`. */
  listLog(runId: string, afterSequence: number, limit: number): Promise<LogRecord[]>;
  listSnapshots(filter: {
    readonly plan?: string | undefined;
    readonly source?: string | undefined;
    readonly destination?: string | undefined;
    readonly runId?: string | undefined;
    readonly limit: number;
  }): Promise<SnapshotRecord[]>;
  listStatistics(destination: string, limit: number): Promise<RepositoryStatistics[]>;
  listProofs(plan: string, limit: number): Promise<ProofRecord[]>;
  /** One for each plan that has ever run, or those named. */
  planStates(plans?: readonly string[]): Promise<PlanState[]>;

  /** Up to which moment a plan's trigger has been answered. */
  readScheduleMark(plan: string, trigger: string): Promise<number | undefined>;
  saveScheduleMark(plan: string, trigger: string, atMs: number): Promise<void>;
  saveMiss(miss: ScheduleMiss): Promise<void>;
  listMisses(filter: { readonly plan?: string; readonly limit: number }): Promise<ScheduleMiss[]>;

  appendAudit(entry: NewAuditEntry): Promise<AuditEntry>;
  /** In ascending order of `sequence`, those after `afterSequence`. */
  listAudit(afterSequence: number, limit: number): Promise<AuditEntry[]>;

  /** What one backup changed; called once a snapshot, in the order of their times. */
  recordFileChanges(
    snapshot: Pick<SnapshotRecord, "plan" | "source" | "snapshotId" | "atMs">,
    changes: AsyncIterable<FileChange>,
  ): Promise<void>;
  listFileVersions(plan: string, source: string, path: string): Promise<FileVersion[]>;

  /** A value that someone keeps between runs (when a warning was last sent); small JSON. */
  readNote(key: string): Promise<string | undefined>;
  saveNote(key: string, value: string | undefined): Promise<void>;

  /** Removes runs that started before, with their stages and log, but no audit entry. */
  removeRunsBefore(atMs: number): Promise<number>;
}
