import type { Instant, OperationOptions } from "@comeback/core";
import { ComebackError } from "@comeback/core";
import { TreeWriter } from "../archive/tree-writer.ts";
import type { Repository } from "../repository/repository.ts";
import { bySnapshotTime, saveSnapshot } from "../repository/snapshots.ts";
import { HOLD_TAG, isHeld } from "../snapshot/hold.ts";
import { NO_SUMMARY } from "../snapshot/no-summary.ts";
import type { Snapshot, SnapshotFile } from "../snapshot/snapshot.ts";
import { formatTime, parseTime } from "../tree/time-text.ts";
import { TreeMerger } from "./merge-trees.ts";

export const MERGE_TAG = "merge";

export interface PlanMergeOptions extends OperationOptions {
  /**
   * Locked, the lock confirmed; then its index loaded, packs that wait to be deleted included: what
   * a prune that is at its end takes away must not be built on.
   */
  readonly repository: Repository;
  /** Two or more, in any order. */
  readonly snapshots: readonly Snapshot[];
  /** Default: the newest one's. */
  readonly hostname?: string;
  /** Default: a millisecond after the newest one's, so that of them all it is the latest. */
  readonly time?: Instant;
  readonly programVersion: string;
  /** The merged snapshots are removed once the new one is saved. */
  readonly forget?: boolean;
  /** Nothing is written, not even trees that no snapshot names yet. */
  readonly dryRun?: boolean;
  /** Told of each folder that was read. */
  onFolder?(): void;
}

/** Plain data: what is to be done. The trees that it names are stored, unless it is a dry run. */
export interface MergePlan {
  /** Newest first. */
  readonly merged: readonly Snapshot[];
  /** The snapshot that is to be saved. */
  readonly result: SnapshotFile;
  readonly forget: boolean;
  readonly dryRun: boolean;
}

/**
 * Works out one snapshot that holds the newest version of every path of several: the snapshot with
 * the later time wins, folders are merged, and where a path is of different types the newest one
 * counts. What was deleted between two of them is in it: snapshots do not say that it was.
 */
export async function planMerge(options: PlanMergeOptions): Promise<MergePlan> {
  const { repository, signal, forget = false, dryRun = false, onFolder } = options;
  const merged = options.snapshots.toSorted(bySnapshotTime).reverse();
  assertMergeable(merged, forget);
  const writer = new TreeWriter({ repository, dryRun, signal });
  const merger = new TreeMerger({
    repository,
    writer,
    signal,
    ...(onFolder === undefined ? {} : { onFolder }),
  });
  try {
    const treeIds = [...new Set(merged.map(({ tree }) => tree))];
    const { treeId, files, bytes } = await merger.merge(treeIds, "");
    await writer.finish();
    const result = mergedFile(merged, options, {
      tree: treeId,
      summary: { ...NO_SUMMARY, total_files_processed: files, total_bytes_processed: bytes },
    });
    return { merged, result, forget, dryRun };
  } catch (error) {
    await writer.salvage();
    throw error;
  }
}

/** Saves the snapshot that the plan holds; then removes the merged ones, where the plan says so. */
export async function executeMerge(
  repository: Repository,
  plan: MergePlan,
  { signal }: OperationOptions = {},
): Promise<Snapshot> {
  if (plan.dryRun) throw new Error("the trees of a dry run are not stored");
  const saved = await saveSnapshot(repository, plan.result, { signal });
  for (const { id } of plan.forget ? plan.merged : []) {
    signal?.throwIfAborted();
    await repository.backend.remove({ type: "snapshot", name: id }, { signal });
  }
  return saved;
}

function assertMergeable(merged: readonly Snapshot[], forget: boolean): void {
  if (merged.length < 2) {
    throw new ComebackError("option.invalid", "a merge needs at least two snapshots", {
      why: merged.length === 0 ? "none was found" : "only one was found",
      next: "list what there is with `comeback snapshots`",
    });
  }
  const held = forget ? merged.find(isHeld) : undefined;
  if (held === undefined) return;
  throw new ComebackError("forget.held", `snapshot ${held.id.slice(0, 8)} is held`, {
    why: "what is held is not removed, and a merge may hold less of it",
    next: "merge without --forget, or release it first with `comeback forget --unhold`",
  });
}

function mergedFile(
  merged: readonly Snapshot[],
  options: PlanMergeOptions,
  content: Pick<SnapshotFile, "tree" | "summary">,
): SnapshotFile {
  const [newest] = merged as [Snapshot, ...Snapshot[]];
  const { time = justAfter(newest.time), hostname = newest.hostname, programVersion } = options;
  const { username, uid, gid } = newest;
  const common = (newest.tags ?? []).filter(
    (tag) => tag !== HOLD_TAG && merged.every(({ tags = [] }) => tags.includes(tag)),
  );
  return {
    time: formatTime(time),
    tree: content.tree,
    paths: [...new Set(merged.flatMap(({ paths }) => paths))].sort(),
    ...(hostname === undefined ? {} : { hostname }),
    ...(username === undefined ? {} : { username }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
    tags: [...new Set([...common, MERGE_TAG])],
    program_version: programVersion,
    ...(content.summary === undefined ? {} : { summary: content.summary }),
    // Ours alone, and restic passes over it.
    comeback: { merged: merged.map(({ id, time: taken }) => ({ id, time: taken })) },
  };
}

function justAfter(time: string): Instant {
  const { seconds, nanoseconds } = parseTime(time);
  const later = nanoseconds + 1_000_000;
  return later < 1e9
    ? { seconds, nanoseconds: later }
    : { seconds: seconds + 1, nanoseconds: later - 1e9 };
}
