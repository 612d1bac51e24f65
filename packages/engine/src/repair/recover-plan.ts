import type { OperationOptions } from "@comeback/core";
import { isComebackError } from "@comeback/core";
import type { Repository } from "../repository/repository.ts";
import { loadSnapshot } from "../repository/snapshots.ts";
import { findRootTrees } from "./find-root-trees.ts";
import { EMPTY_TREE_ID, type Mending, TreeMender } from "./mend-trees.ts";
import { enterPhase, type RepairObserver, startProgress } from "./repair-progress.ts";
import { requireSoundIndex } from "./require-sound-index.ts";

/** A folder that the recovered snapshot will have. */
export interface RecoveredRoot {
  /** The tree that was found. */
  readonly tree: string;
  /** The tree that stands in for it where something in it is gone. */
  readonly mendedTree: string;
  /** The folder's name: the beginning of the tree's id. */
  readonly name: string;
}

/** What `recover` would do. Plain data. */
export interface RecoverPlan {
  readonly trees: number;
  readonly unreadableTrees: number;
  readonly roots: readonly RecoveredRoot[];
  /** What is cut out of them, for it is gone. */
  readonly mendings: readonly Mending[];
  readonly mendingCount: number;
  /** Packs that no index lists: what is in them was not looked at. */
  readonly packsNotIndexed: number;
  readonly isNeeded: boolean;
}

export interface PlanRecoverOptions extends OperationOptions {
  /** Open, its index loaded, with packs that wait to be deleted. */
  readonly repository: Repository;
  /** Worker threads; default: one per core. */
  readonly workers?: number;
  readonly observer?: RepairObserver;
}

/** Digits of a tree's id that name its folder (restic: 8). */
const NAME_DIGITS = 8;

/** Finds the trees that nothing leads to. Nothing is stored. */
export async function planRecover(options: PlanRecoverOptions): Promise<RecoverPlan> {
  const { repository, workers, observer, signal } = options;
  const progress = startProgress(observer);
  const { notIndexed } = await requireSoundIndex(repository, { signal });
  enterPhase(progress, "packs", 0);
  const found = await findRootTrees({
    repository,
    progress,
    workers,
    signal,
    snapshotTrees: () => snapshotTrees(repository, { signal }),
  });
  enterPhase(progress, "trees", 0);
  const mender = new TreeMender({ repository, signal, onTree: () => progress.done++ });
  const roots: RecoveredRoot[] = [];
  const taken = new Set<string>();
  const all = new Set(found.roots);
  for (const tree of found.roots) {
    if (tree === EMPTY_TREE_ID) continue;
    const name = freeName(tree, taken);
    const mendings = mender.mendingCount;
    const mendedTree = await mender.mend(tree, `/${name}`);
    if (mendedTree === undefined) continue;
    // Mended before, by this or by a repair of its snapshot: all that is left of it is there.
    const isThere = found.isLedTo(mendedTree) || all.has(mendedTree);
    if (mendedTree !== tree && isThere) mender.forgetMendings(mendings);
    else roots.push({ tree, mendedTree, name });
  }
  progress.phase = "done";
  return {
    trees: found.trees,
    unreadableTrees: found.unreadable,
    roots,
    mendings: mender.mendings,
    mendingCount: mender.mendingCount,
    packsNotIndexed: notIndexed,
    isNeeded: roots.length > 0,
  };
}

function freeName(tree: string, taken: Set<string>): string {
  let digits = NAME_DIGITS;
  while (taken.has(tree.slice(0, digits))) digits++;
  taken.add(tree.slice(0, digits));
  return tree.slice(0, digits);
}

/** What snapshots begin with; of one that cannot be read, the tree is what there is to recover. */
async function snapshotTrees(repository: Repository, call: OperationOptions): Promise<string[]> {
  const trees: string[] = [];
  for await (const { name } of repository.backend.list("snapshot", call)) {
    try {
      trees.push((await loadSnapshot(repository, name, call)).tree);
    } catch (error) {
      const isKnown =
        isComebackError(error, "repository.damaged") || isComebackError(error, "backend.not-found");
      if (!isKnown) throw error;
    }
  }
  return trees;
}
