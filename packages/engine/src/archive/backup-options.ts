import type { ByteString, Instant, Source, SourceProblem } from "@comeback/core";
import type { Repository } from "../repository/repository.ts";
import type { Snapshot, SnapshotSummary } from "../snapshot/snapshot.ts";
import type { Checkpoint, CheckpointStore } from "./checkpoint.ts";

export interface CheckpointOptions {
  readonly store: CheckpointStore;
  /** Time from one to the next; default CHECKPOINT_INTERVAL_MS. */
  readonly intervalMs?: number | undefined;
}

export interface BackupOptions {
  /** Open, with its index loaded and a lock held by the caller. */
  readonly repository: Repository;
  readonly source: Source;
  /** The time of the snapshot. */
  readonly time: Instant;
  readonly hostname: string;
  /** Called once everything is read and stored, where they depend on what came of it. */
  readonly tags?: readonly string[] | ((done: BackupOutcome) => Promise<readonly string[]>);
  /** Compare with this snapshot; without one every file is read. */
  readonly parent?: Snapshot;
  /** Leave checkpoints while the backup runs; removed once it has ended well. */
  readonly checkpoint?: CheckpointOptions;
  /** How long a failed or interrupted backup may make known what it stored; default SALVAGE_MAX_MS. */
  readonly salvageMaxMs?: number | undefined;
  /**
   * Go on from here: a file that this checkpoint has, and the parent has not, is not read again
   * where it is the same by the parent's rule.
   */
  readonly resumeFrom?: Checkpoint | undefined;
  /** Take a file as unchanged although its ctime differs. */
  readonly ignoreCtime?: boolean;
  /** Take a file as unchanged although its inode (and ctime) differs. */
  readonly ignoreInode?: boolean;
  /** Store access times; otherwise the modification time stands in for them. */
  readonly withAtime?: boolean;
  /** Read and compute everything, store nothing. */
  readonly dryRun?: boolean;
  /** Write no snapshot where its tree equals the parent's. */
  readonly skipIfUnchanged?: boolean;
  /** Worker threads that read files; default: one per core. */
  readonly readConcurrency?: number;
  /** For the snapshot's `program_version`. */
  readonly programVersion: string;
  /** Resolves when writing is allowed (the lock is confirmed); reading starts before. */
  readonly mayWrite?: Promise<void>;
  readonly signal?: AbortSignal | undefined;
  readonly observer?: BackupObserver;
}

/** What happened to one entry, in restic's words for its verbose output. */
export interface ArchivedItem {
  readonly path: ByteString;
  readonly type: "file" | "dir" | "other";
  readonly action: "new" | "changed" | "unmodified";
  /** Bytes of new blobs, before and after compression. */
  readonly dataAdded: number;
  readonly dataAddedPacked: number;
  readonly sizeBytes: number;
}

export interface BackupObserver {
  /**
   * Count the whole source beside the backup, for a bar that shows what is left, once the backup
   * has taken this long; never where it is missing.
   */
  readonly totalsAfterMs?: number | undefined;
  /** Handed over once at the start; its fields move on while the backup runs. */
  onStart?(progress: Readonly<BackupProgress>): void;
  onProblem?(problem: SourceProblem): void;
  /** For verbose output only: called for every entry. */
  onItem?(item: ArchivedItem): void;
}

/** Files whose content a checkpoint told. They count as new or changed all the same. */
export interface ResumedAmount {
  readonly files: number;
  readonly bytes: number;
}

/** Live counts, for whoever draws a progress bar. */
export interface BackupProgress {
  filesDone: number;
  bytesDone: number;
  /** Grow while the source is still being walked ahead; final once `totalsKnown`. */
  filesTotal: number;
  bytesTotal: number;
  totalsKnown: boolean;
  problems: number;
  /** Bytes written to the repository so far. */
  bytesStored: number;
  /** The file that was handed out or finished last. */
  currentFile: ByteString;
}

/** What a backup came to, before its snapshot is saved. */
export type BackupOutcome = Pick<BackupResult, "summary" | "problemCount">;

export interface BackupResult {
  /** The snapshot; `undefined` after a dry run, or where nothing changed with `skipIfUnchanged`. */
  readonly snapshot: Snapshot | undefined;
  readonly treeId: string;
  readonly summary: SnapshotSummary;
  /** What was not read again thanks to the checkpoint; `undefined` where there was none. */
  readonly resumed?: ResumedAmount | undefined;
  /** Files that could not be read or changed while they were read. Exit code 3 where not empty. */
  readonly problems: readonly SourceProblem[];
  /** All problems, also those beyond the ones kept. */
  readonly problemCount: number;
}
