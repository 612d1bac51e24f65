import type { ByteString, Instant, OperationOptions } from "@comeback/core";
import type { Repository } from "../repository/repository.ts";
import type { SnapshotChanges } from "../snapshot/replace-snapshot.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { TreeNode } from "../tree/types.ts";

/** The tag of a snapshot that stands beside the one it was made from; restic's. */
export const REWRITE_TAG = "rewrite";

export interface PlanRewriteOptions extends OperationOptions {
  /**
   * Locked, the lock confirmed; then its index loaded, packs that wait to be deleted included: what
   * a prune that is at its end takes away must not be built on.
   */
  readonly repository: Repository;
  readonly snapshots: readonly Snapshot[];
  /** True for an entry that is left out, with everything below it. */
  excludes?(path: ByteString, node: TreeNode): boolean;
  readonly hostname?: string;
  readonly time?: Instant;
  /** Also count files and bytes where a snapshot does not say how many it has. */
  readonly summarize?: boolean;
  /** The rewritten snapshots take the place of the old ones. */
  readonly forget?: boolean;
  /** Nothing is written, not even trees that no snapshot names yet. */
  readonly dryRun?: boolean;
  readonly observer?: RewriteObserver;
}

export interface RewriteObserver {
  /** Handed over once at the start; its fields move on. */
  onStart?(progress: Readonly<RewriteProgress>): void;
  onExcluded?(snapshot: Snapshot, path: ByteString): void;
}

export interface RewriteProgress {
  snapshotsDone: number;
  snapshotsTotal: number;
  /** Folders that were read. */
  folders: number;
}

/** One snapshot that becomes another. */
export interface RewriteItem {
  readonly snapshot: Snapshot;
  readonly changes: SnapshotChanges;
  /** Entries that are left out; a folder counts as one. */
  readonly excluded: number;
}

export interface RewriteFailure {
  readonly snapshot: Snapshot;
  readonly message: string;
}

/** Plain data: what is to be done. The trees that it names are stored, unless it is a dry run. */
export interface RewritePlan {
  readonly items: readonly RewriteItem[];
  /** Nothing in them changes. */
  readonly unchanged: readonly Snapshot[];
  /** They stay as they are, and here is why. */
  readonly failed: readonly RewriteFailure[];
  readonly forget: boolean;
  readonly dryRun: boolean;
}
