import type { OperationOptions } from "@comeback/core";
import type { Repository } from "../repository/repository.ts";

/**
 * `two-phase`: packs are first marked and only deleted by a later prune, under a lock that lets
 * others work. `instant`: they are deleted at once, under an exclusive lock, as restic does.
 */
export type PruneMode = "two-phase" | "instant";

/** How much unused data may stay, to spare the copying of what stands beside it. */
export type UnusedLimit =
  /** Of the size of the repository afterwards; below 100. */
  | { readonly kind: "percentage"; readonly percentage: number }
  | { readonly kind: "size"; readonly sizeBytes: number }
  | { readonly kind: "unlimited" };

export interface PruneOptions extends OperationOptions {
  /**
   * Open and locked, the lock confirmed: what is found before may change. Its index is loaded anew.
   */
  readonly repository: Repository;
  /** Default: two-phase. */
  readonly mode?: PruneMode;
  /** Default: 5 %. */
  readonly maxUnused?: UnusedLimit;
  /** Bytes of packs that are repacked at most; default: no limit. */
  readonly maxRepackBytes?: number;
  readonly repackCacheableOnly?: boolean;
  readonly repackSmall?: boolean;
  readonly repackUncompressed?: boolean;
  /** Two-phase: how long a pack stays marked before it is deleted; default 23 hours. */
  readonly keepDeleteMs?: number;
  /** Snapshots that are about to be removed: what only they need counts as unused. For dry runs. */
  readonly ignoreSnapshots?: ReadonlySet<string>;
  /** Worker threads; default: one per core. */
  readonly workers?: number;
  readonly observer?: PruneObserver;
}

export interface PruneObserver {
  /** Handed over once; its fields move on while planning and executing. */
  onStart?(progress: Readonly<PruneProgress>): void;
}

export interface PruneProgress {
  phase: "snapshots" | "index" | "trees" | "packs" | "repack" | "rewrite" | "delete" | "done";
  trees: number;
  packsDone: number;
  packsTotal: number;
  bytesDone: number;
  bytesTotal: number;
}

/**
 * What happens to a pack:
 * - `repack`: what is used of it is copied, then as `remove`;
 * - `remove`: marked (two-phase), or deleted (instant);
 * - `adopt`: no index lists it; it is marked (two-phase), or deleted (instant);
 * - `delete`: its time has come, it is deleted;
 * - `wait`: it was marked before, and stays so;
 * - `recover`: it was marked before, but a snapshot needs it: it is in use again;
 * - `drop`: its file is missing, and nobody needs it: the index forgets it.
 */
export type PackAction =
  | "keep"
  | "repack"
  | "remove"
  | "adopt"
  | "delete"
  | "wait"
  | "recover"
  | "drop";

export interface PlannedPack {
  readonly id: string;
  readonly action: PackAction;
  readonly type: "data" | "tree" | "mixed" | "unknown";
  readonly sizeBytes: number;
  readonly usedBytes: number;
}

interface PruneCount {
  readonly blobs: number;
  readonly bytes: number;
}

/** What a prune will do: plain data. */
export interface PrunePlan {
  readonly mode: PruneMode;
  readonly snapshots: number;
  readonly keepDeleteMs: number;
  /** Each used blob once. */
  readonly used: PruneCount;
  /** Further copies of used blobs. */
  readonly duplicate: PruneCount;
  readonly unused: PruneCount;
  /** In packs of which nothing is used. */
  readonly remove: PruneCount;
  /** In packs that are repacked, and how much of that is left out. */
  readonly repack: PruneCount;
  readonly repackRemove: PruneCount;
  /** Unused data, copies included, that stays. */
  readonly unusedAfterBytes: number;
  /** Packs by what happens to them. */
  readonly packs: Readonly<Record<PackAction, number>>;
  readonly packBytes: Readonly<Record<PackAction, number>>;
  /** Packs whose time has come, and which wait because somebody works here since before. */
  readonly postponed: number;
  /** Who that is, for a person. */
  readonly postponedFor?: string;
  /** Temporary files that killed processes have left, and that are removed. */
  readonly leftOvers: {
    readonly files: number;
    readonly bytes: number;
    readonly paths: readonly string[];
  };
  /** Every pack that is not kept as it is. */
  readonly changes: readonly PlannedPack[];
}

export interface PruneResult {
  readonly mode: PruneMode;
  readonly packsRepacked: number;
  readonly packsWritten: number;
  readonly bytesWritten: number;
  /** Newly marked by this run. */
  readonly packsMarked: number;
  readonly bytesMarked: number;
  readonly packsDeleted: number;
  readonly bytesDeleted: number;
  readonly packsRecovered: number;
  readonly indexFilesWritten: number;
  readonly indexFilesRemoved: number;
  readonly leftOversRemoved: number;
  readonly leftOverBytesRemoved: number;
}

export const UNUSED_LIMIT_DEFAULT: UnusedLimit = { kind: "percentage", percentage: 5 };
