import type { Repository } from "../repository/repository.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";

export interface CopyOptions {
  /** Open, with its whole index loaded (`includeMarked`), and a lock held by the caller. */
  readonly source: Repository;
  /** Open, with its index loaded and a lock held by the caller. */
  readonly target: Repository;
  /** Snapshots of the source; they are copied in this order. */
  readonly snapshots: readonly Snapshot[];
  /**
   * Compress everything anew as the target repository was opened to do. Otherwise what is compressed
   * stays so, byte for byte: the contents are only encrypted with the other key.
   */
  readonly recompress?: boolean;
  /** Find out what there is to copy, and write nothing. */
  readonly dryRun?: boolean;
  /** Worker threads; default: one per core. */
  readonly workers?: number;
  /** Resolves when the target may be written (its lock is confirmed); reading starts before. */
  readonly mayWrite?: Promise<void>;
  readonly signal?: AbortSignal | undefined;
  readonly observer?: CopyObserver;
}

export interface CopyObserver {
  /** Handed over once at the start; its fields move on while the copy runs. */
  onStart?(progress: Readonly<CopyProgress>): void;
  /** All trees were read: so much is about to be copied. Not called where there is nothing to do. */
  onPlan?(plan: { readonly snapshots: number; readonly bytes: number }): void;
  /** A snapshot was copied, skipped, or could not be copied: as soon as that is certain. */
  onSnapshot?(outcome: CopyOutcome): void;
  onProblem?(problem: CopyProblem): void;
}

/** Live counts, for whoever draws a progress bar. Bytes are those of the source's packs. */
export interface CopyProgress {
  phase: "trees" | "blobs" | "done";
  snapshotsDone: number;
  snapshotsTotal: number;
  blobsDone: number;
  blobsTotal: number;
  bytesDone: number;
  bytesTotal: number;
  /** Bytes written to the target so far. */
  bytesStored: number;
  problems: number;
}

/** What became of one snapshot. */
export interface CopyOutcome {
  readonly snapshot: Snapshot;
  /** "planned" in a dry run only. */
  readonly action: "copied" | "skipped" | "failed" | "planned";
  /** The snapshot of the target that holds the same: new where copied, there before where skipped. */
  readonly copy?: Snapshot;
}

/** Something of the source that cannot be read. */
export interface CopyProblem {
  /** The pack that is damaged; none where the index knows none that holds what is needed. */
  readonly packId?: string;
  /** One sentence that names it. */
  readonly message: string;
}

export interface CopyResult {
  readonly outcomes: readonly CopyOutcome[];
  readonly copied: number;
  readonly skipped: number;
  readonly failed: number;
  /** Blobs that the target did not have, and the bytes of their packs written to it. */
  readonly dataBlobs: number;
  readonly treeBlobs: number;
  readonly bytesRead: number;
  readonly bytesStored: number;
  /** The first of them; `problemCount` counts all. */
  readonly problems: readonly CopyProblem[];
  readonly problemCount: number;
  /** Whether both cut files at the same places: otherwise they share no contents. */
  readonly sameChunker: boolean;
}
