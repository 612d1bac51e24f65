import { assert, type OperationOptions } from "@comeback/core";
import type { Repository } from "../repository/repository.ts";
import { loadSnapshot, saveSnapshot } from "../repository/snapshots.ts";
import { changedSnapshot, replaceSnapshot } from "../snapshot/replace-snapshot.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { TreeMender } from "./mend-trees.ts";
import { removeFiles } from "./remove-files.ts";
import { enterPhase, type RepairObserver, startProgress } from "./repair-progress.ts";
import { hopelessSnapshots, type SnapshotRepairPlan } from "./snapshot-repair-plan.ts";
import { TreeStore } from "./tree-store.ts";

/** restic's tag for a mended snapshot beside the old one. */
const TAG_REPAIRED = "repaired";

export interface RepairSnapshotsOptions extends OperationOptions {
  /** As for the plan. */
  readonly repository: Repository;
  readonly plan: SnapshotRepairPlan;
  readonly observer?: RepairObserver;
}

export interface SnapshotRepairResult {
  /** Old and new ids. */
  readonly mended: readonly { readonly old: string; readonly id: string }[];
  /** Snapshots of which nothing was left, and files that could not be read. */
  readonly removed: readonly string[];
}

/**
 * Carries a plan out, beside others: new trees are stored and listed, then the new snapshots are
 * saved, and with `forget` each old one goes after its new one is there.
 */
export async function repairSnapshots(
  options: RepairSnapshotsOptions,
): Promise<SnapshotRepairResult> {
  const { repository, plan, observer, signal = new AbortController().signal } = options;
  const progress = startProgress(observer);
  const wanted = plan.snapshots.filter(({ state }) => state === "mended");
  const store = new TreeStore(repository, signal);
  const snapshots: { snapshot: Snapshot; tree: string }[] = [];
  enterPhase(progress, "trees", 0);
  try {
    const mender = new TreeMender({
      repository,
      signal,
      store: (id, json) => store.add(id, json),
      onTree: () => progress.done++,
    });
    for (const { id, tree } of wanted) {
      const snapshot = await loadSnapshot(repository, id, { signal });
      const mended = await mender.mend(snapshot.tree);
      assert(mended === tree, "a tree is mended as it was planned");
      snapshots.push({ snapshot, tree });
    }
    await store.finish();
  } catch (error) {
    await store.salvage();
    throw error;
  }
  enterPhase(progress, "writing", snapshots.length);
  const mended: { old: string; id: string }[] = [];
  for (const { snapshot, tree } of snapshots) {
    const saved = await save(repository, snapshot, tree, plan.forget, { signal });
    mended.push({ old: snapshot.id, id: saved.id });
    progress.done++;
  }
  const removed = plan.forget ? hopelessSnapshots(plan) : [];
  await removeFiles(repository, "snapshot", removed, progress, { signal });
  progress.phase = "done";
  return { mended, removed };
}

function save(
  repository: Repository,
  old: Snapshot,
  tree: string,
  forget: boolean,
  call: OperationOptions,
): Promise<Snapshot> {
  if (forget) return replaceSnapshot(repository, old, { tree }, call);
  const tags = [...new Set([...(old.tags ?? []), TAG_REPAIRED])];
  return saveSnapshot(repository, changedSnapshot(old, { tree, tags }), call);
}
