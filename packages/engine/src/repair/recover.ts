import { hostname, userInfo } from "node:os";
import { assert, type OperationOptions } from "@comeback/core";
import { sha256 } from "../crypto/blob-codec.ts";
import { instantOfMilliseconds } from "../repository/instant.ts";
import type { Repository } from "../repository/repository.ts";
import { saveSnapshot } from "../repository/snapshots.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { encodeTree } from "../tree/encode.ts";
import { goModeFromStat } from "../tree/mode.ts";
import { formatTime } from "../tree/time-text.ts";
import type { TreeNode } from "../tree/types.ts";
import { TreeMender } from "./mend-trees.ts";
import type { RecoverPlan } from "./recover-plan.ts";
import { enterPhase, type RepairObserver, startProgress } from "./repair-progress.ts";
import { TreeStore } from "./tree-store.ts";

export interface RecoverOptions extends OperationOptions {
  /** As for the plan. */
  readonly repository: Repository;
  readonly plan: RecoverPlan;
  readonly programVersion?: string;
  readonly observer?: RepairObserver;
}

/** `drwxr-xr-x`, as `st_mode`. */
const FOLDER_MODE = 0o40755;

/** Makes a snapshot of what a plan found, in which each tree is a folder. */
export async function recover(options: RecoverOptions): Promise<Snapshot> {
  const { repository, plan, observer, signal = new AbortController().signal } = options;
  const progress = startProgress(observer);
  const time = formatTime(instantOfMilliseconds(repository.clock.now()));
  const store = new TreeStore(repository, signal);
  const json = encodeTree(
    plan.roots
      .map(({ name, mendedTree }) => folder(name, mendedTree, time))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  );
  const tree = sha256(json).toString("hex");
  enterPhase(progress, "trees", 0);
  try {
    const mender = new TreeMender({
      repository,
      signal,
      store: (id, bytes) => store.add(id, bytes),
      onTree: () => progress.done++,
    });
    for (const root of plan.roots) {
      if (root.mendedTree === root.tree) continue;
      const mended = await mender.mend(root.tree);
      assert(mended === root.mendedTree, "a tree is mended as it was planned");
    }
    await store.add(tree, json);
    await store.finish();
  } catch (error) {
    await store.salvage();
    throw error;
  }
  enterPhase(progress, "writing", 1);
  const { username, uid, gid } = userInfo();
  const owner = { hostname: hostname(), username, uid, gid };
  const { programVersion } = options;
  const snapshot = await saveSnapshot(
    repository,
    {
      time,
      tree,
      // restic's own words for what its `recover` makes.
      paths: ["/recover"],
      ...owner,
      tags: ["recovered"],
      ...(programVersion === undefined ? {} : { program_version: programVersion }),
    },
    { signal },
  );
  progress.phase = "done";
  return snapshot;
}

function folder(name: string, subtree: string, time: string): TreeNode {
  return {
    name,
    type: "dir",
    mode: goModeFromStat(FOLDER_MODE),
    mtime: time,
    atime: time,
    ctime: time,
    uid: 0,
    gid: 0,
    user: "",
    group: "",
    inode: 0,
    device_id: 0,
    size: 0,
    links: 0,
    subtree,
  };
}
