import type { ByteString } from "./byte-string.ts";
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
  /** Unique over all hosts; sorts by time: "20261128-020000-4f2a9c01d3". */
  readonly id: string;
  readonly plan: string;
  readonly host: string;
  /** `rebuilt`: not known, since the record was made anew from a repository. */
  readonly trigger: RunTrigger | "rebuilt";
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
  /** Of a restore test of all of the plan: how long a recovery takes. */
  readonly tookMs?: number | undefined;
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

/** The end of the chain as it was last noted; whoever keeps it elsewhere can tell a shorter one. */
export type AuditHead = Pick<AuditEntry, "sequence" | "hash">;

/** One version of a path, and the snapshots that hold it. */
export interface FileVersion {
  readonly path: ByteString;
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
  readonly path: ByteString;
  /** Absent where the path is gone. */
  readonly version?: Pick<FileVersion, "sizeBytes" | "modifiedAtMs" | "contentHash"> | undefined;
}

/** The newest snapshot whose files the history knows: what the next one is to be compared with. */
export type FileHistoryHead = Pick<SnapshotRecord, "snapshotId" | "atMs">;

export interface RunFilter {
  /** Of all hosts; of the store's own if not given. */
  readonly hosts?: "all" | undefined;
  readonly idPrefix?: string | undefined;
  readonly plan?: string | undefined;
  readonly outcome?: RunOutcome | undefined;
  /** Started then or later. */
  readonly sinceMs?: number | undefined;
  /** The newest so many. */
  readonly limit: number;
}

export interface SnapshotRecordFilter {
  readonly plan?: string | undefined;
  readonly source?: string | undefined;
  readonly destination?: string | undefined;
  readonly runId?: string | undefined;
  readonly snapshotId?: string | undefined;
  /** The newest so many. */
  readonly limit: number;
}

/** What `status` needs to know of one plan; newest of each. */
export interface PlanState {
  readonly host: string;
  readonly plan: string;
  readonly lastRun?: RunRecord | undefined;
  /** The last run that ended ok or with a warning. */
  readonly lastGoodRun?: RunRecord | undefined;
  /** A run of it has not ended. */
  readonly isRunning: boolean;
  /**
   * For each source and destination: its newest snapshot that is good (ok or with a warning) and was
   * not removed. In the order of sources and destinations.
   */
  readonly newest: readonly SnapshotRecord[];
  readonly lastProof?: ProofRecord | undefined;
  /** Misses that no run made up for. */
  readonly openMisses: number;
}

/**
 * The memory of what was done: runs, schedules, audit. Losing it loses history, never a backup.
 *
 * - Several hosts may share a catalog, and name their plans and destinations alike: a store is one
 *   host's, and reads and writes what is of that host's plans, destinations and notes. What is of a
 *   run is found by its id, whichever host made it; the audit log is one for all. What else spans
 *   hosts says so in its name or filter.
 * - A call that resolved is durable, and seen by every later call of every process.
 * - Every write is atomic, but `recordFileChanges` and `removeRunsBefore` do theirs in steps: what
 *   they have not finished is not seen, or is done by the next call.
 * - `saveRun`, `saveStage`, `saveSnapshot`, `saveMiss` and `saveStatistics` are idempotent: the last
 *   one of the same key counts. Records of a run may come in any order, also before the run itself.
 * - Several processes may work with one catalog at once; audit entries of all are one chain.
 * - Where nothing can be written (a full disk), calls reject with `catalog.unusable`, where the
 *   database does not hold with `catalog.damaged`; what was written before stays readable. Nobody's
 *   backup fails because of it: the caller warns.
 * - Lists are newest first unless it says otherwise. Of two that happened at the same moment, the
 *   greater key counts as newer.
 * - Texts keep every character but NUL and halves of surrogate pairs, which are replaced; times and
 *   sizes are whole numbers.
 */
export interface CatalogStore extends AsyncDisposable {
  /** Whose it is. */
  readonly host: string;
  /** The same catalog as another host has it; usable for as long as this one is. */
  forHost(host: string): Omit<CatalogStore, typeof Symbol.asyncDispose>;

  /**
   * Rejects with `catalog.unusable` where another host has a run of that id: nothing of it is
   * overwritten. The run's host is the store's.
   */
  saveRun(run: RunRecord): Promise<void>;
  saveStage(stage: StageRecord): Promise<void>;
  /** In ascending order of `sequence`. Lines that are there already are left as they are. */
  appendLog(lines: readonly LogRecord[]): Promise<void>;
  /** Its key: destination and snapshot id. */
  saveSnapshot(snapshot: SnapshotRecord): Promise<void>;
  /** Snapshots that are not known, or were removed before, are passed over. */
  markRemoved(destination: string, snapshotIds: readonly string[], atMs: number): Promise<void>;
  saveProof(proof: ProofRecord): Promise<void>;
  /** Its key: destination and moment. */
  saveStatistics(statistics: RepositoryStatistics): Promise<void>;

  /** Of whichever host. */
  findRun(id: string): Promise<RunRecord | undefined>;
  listRuns(filter: RunFilter): Promise<RunRecord[]>;
  /** Runs that never ended. */
  listOpenRuns(): Promise<RunRecord[]>;
  /** In order of `sequence`. */
  listStages(runId: string): Promise<StageRecord[]>;
  /** In order of `sequence`, those after `afterSequence`; -1 begins with the first. */
  listLog(runId: string, afterSequence: number, limit: number): Promise<LogRecord[]>;
  listSnapshots(filter: SnapshotRecordFilter): Promise<SnapshotRecord[]>;
  listStatistics(filter: {
    readonly destination?: string | undefined;
    readonly limit: number;
  }): Promise<RepositoryStatistics[]>;
  listProofs(filter: {
    readonly plan?: string | undefined;
    readonly limit: number;
  }): Promise<ProofRecord[]>;
  /**
   * One for each plan of which there is any record, in order of their names; or for each of those
   * named, also where there is none.
   */
  planStates(plans?: readonly string[]): Promise<PlanState[]>;
  /** One for each plan of each host of which there is any record, in order of hosts and plans. */
  planStatesOfAllHosts(): Promise<PlanState[]>;

  /** Up to which moment a plan's trigger has been answered. */
  readScheduleMark(plan: string, trigger: string): Promise<number | undefined>;
  saveScheduleMark(plan: string, trigger: string, atMs: number): Promise<void>;
  /** Its key: plan, trigger and moment; saved once more with `caughtUpBy`, it is closed. */
  saveMiss(miss: ScheduleMiss): Promise<void>;
  listMisses(filter: {
    readonly plan?: string | undefined;
    readonly limit: number;
  }): Promise<ScheduleMiss[]>;

  appendAudit(entry: NewAuditEntry): Promise<AuditEntry>;
  /** In ascending order of `sequence`, those after `afterSequence`. */
  listAudit(afterSequence: number, limit: number): Promise<AuditEntry[]>;
  /** The note of the chain's end that is kept beside the entries; sequence 0 before the first. */
  readAuditHead(): Promise<AuditHead>;

  /**
   * What one backup changed; called once a snapshot, in the order of their times, one at a time for
   * a plan's source. The changes are those since `readFileHistoryHead`, which is not the parent
   * where a snapshot's were never recorded. With `isWholeTree` they are all that there is, and what
   * is not among them is gone. Does nothing for a snapshot that is recorded already; one that was
   * begun and not finished leaves no trace.
   */
  recordFileChanges(
    snapshot: Pick<SnapshotRecord, "plan" | "source" | "snapshotId" | "atMs">,
    changes: AsyncIterable<FileChange>,
    options?: { readonly isWholeTree?: boolean },
  ): Promise<void>;
  readFileHistoryHead(plan: string, source: string): Promise<FileHistoryHead | undefined>;
  listFileVersions(plan: string, source: string, path: ByteString): Promise<FileVersion[]>;
  /** Plans and sources that have a file history, in order of their names. */
  listFileHistories(): Promise<{ readonly plan: string; readonly source: string }[]>;

  /** A value that someone keeps between runs (when a warning was last sent); small JSON. */
  readNote(key: string): Promise<string | undefined>;
  saveNote(key: string, value: string | undefined): Promise<void>;

  /**
   * Removes the host's runs that started before, with their stages and log, snapshots that were removed and
   * misses that were noticed before; resolves to how many runs. Runs that never ended, each plan's
   * last and last good one, proofs and audit entries stay.
   */
  removeRunsBefore(atMs: number): Promise<number>;
}
