import { isComebackError, messageOf } from "@comeback/core";
import { TreeWriter } from "../archive/tree-writer.ts";
import { isHeld } from "../snapshot/hold.ts";
import { NO_SUMMARY } from "../snapshot/no-summary.ts";
import type { SnapshotChanges } from "../snapshot/replace-snapshot.ts";
import type { Snapshot, SnapshotSummary } from "../snapshot/snapshot.ts";
import { formatTime, parseTime } from "../tree/time-text.ts";
import {
  type PlanRewriteOptions,
  REWRITE_TAG,
  type RewriteFailure,
  type RewriteItem,
  type RewritePlan,
  type RewriteProgress,
} from "./rewrite-options.ts";
import { type RewrittenFolder, TreeRewriter } from "./rewrite-trees.ts";

/**
 * Works out what the snapshots become, and stores the trees for it, which nothing refers to yet. A
 * snapshot that cannot be read to its end does not keep the others.
 */
export async function planRewrite(options: PlanRewriteOptions): Promise<RewritePlan> {
  const { repository, signal, observer, snapshots } = options;
  const { forget = false, dryRun = false } = options;
  const progress: RewriteProgress = {
    snapshotsDone: 0,
    snapshotsTotal: snapshots.length,
    folders: 0,
  };
  observer?.onStart?.(progress);
  const items: RewriteItem[] = [];
  const unchanged: Snapshot[] = [];
  const failed: RewriteFailure[] = [];
  const writer = new TreeWriter({ repository, dryRun, signal });
  let current: Snapshot | undefined;
  const rewriter = new TreeRewriter({
    repository,
    writer,
    signal,
    excludes: (path, node) => {
      if (options.excludes?.(path, node) !== true) return false;
      if (current !== undefined) observer?.onExcluded?.(current, path);
      return true;
    },
    onFolder: () => void progress.folders++,
  });
  try {
    for (const snapshot of snapshots) {
      current = snapshot;
      try {
        const item = await planItem(snapshot, options, rewriter);
        if (item === undefined) unchanged.push(snapshot);
        else if (forget && isHeld(snapshot)) failed.push({ snapshot, message: HELD });
        else items.push(item);
      } catch (error) {
        signal?.throwIfAborted();
        if (!isComebackError(error, "repository.damaged")) throw error;
        failed.push({ snapshot, message: `${messageOf(error)}: ${error.why ?? ""}` });
      }
      progress.snapshotsDone++;
    }
    await writer.finish();
  } catch (error) {
    await writer.salvage();
    throw error;
  }
  return { items, unchanged, failed, forget, dryRun };
}

const HELD =
  "it is held, and what is held is not replaced: release it first with `forget --unhold`";

/** What a snapshot becomes; `undefined` where it is the same afterwards. */
async function planItem(
  snapshot: Snapshot,
  options: PlanRewriteOptions,
  rewriter: TreeRewriter,
): Promise<RewriteItem | undefined> {
  const { hostname, time, summarize = false, forget = false } = options;
  const changes: { -readonly [Key in keyof SnapshotChanges]: SnapshotChanges[Key] } = {};
  let excluded = 0;
  if (options.excludes !== undefined || (summarize && snapshot.summary === undefined)) {
    const folder = await rewriter.rewrite(snapshot.tree, "");
    excluded = folder.excluded;
    if (folder.treeId !== snapshot.tree) changes.tree = folder.treeId;
    // Not where nothing is left out: a backup counts what it read, and that is no mistake.
    const counts = excluded > 0 || (summarize && snapshot.summary === undefined);
    if (counts) changes.summary = { ...(snapshot.summary ?? NO_SUMMARY), ...countsOf(folder) };
  }
  if (hostname !== undefined && hostname !== snapshot.hostname) changes.hostname = hostname;
  if (time !== undefined && !isSameInstant(formatTime(time), snapshot.time)) {
    changes.time = formatTime(time);
  }
  if (Object.keys(changes).length === 0) return undefined;
  const tags = snapshot.tags ?? [];
  if (!forget && !tags.includes(REWRITE_TAG)) changes.tags = [...tags, REWRITE_TAG];
  // restic's `rewrite`, unlike its `tag`: a snapshot with other content is a new one, made from this.
  return { snapshot, changes: { ...changes, original: snapshot.id }, excluded };
}

function countsOf({ files, bytes }: RewrittenFolder): Partial<SnapshotSummary> {
  return { total_files_processed: files, total_bytes_processed: bytes };
}

function isSameInstant(a: string, b: string): boolean {
  const [one, other] = [parseTime(a), parseTime(b)];
  return one.seconds === other.seconds && one.nanoseconds === other.nanoseconds;
}
