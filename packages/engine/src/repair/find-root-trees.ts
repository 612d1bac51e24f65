import type { OperationOptions } from "@comeback/core";
import { BitSet } from "../check/bit-set.ts";
import { PackGroups } from "../check/pack-groups.ts";
import { planTreeReadings } from "../check/plan-readings.ts";
import { whyUnusable } from "../check/problem-log.ts";
import { PackReader } from "../check/read-packs.ts";
import { TreeGraph } from "../check/tree-graph.ts";
import { CpuPool } from "../cpu-pool/cpu-pool.ts";
import { workerSetup } from "../cpu-pool/worker-setup.ts";
import { idWords } from "../index/blob-table.ts";
import type { Repository } from "../repository/repository.ts";
import type { RepairProgress } from "./repair-progress.ts";

export interface RootTrees {
  /** Ids of trees that no other tree and no snapshot leads to. */
  readonly roots: readonly string[];
  /** Whether a snapshot or another tree leads to this tree. */
  isLedTo(treeId: string): boolean;
  readonly trees: number;
  /** Trees that cannot be read. */
  readonly unreadable: number;
}

interface FindRootsOptions extends OperationOptions {
  readonly repository: Repository;
  readonly progress: RepairProgress;
  /** Trees that snapshots begin with; asked for after all others have been read. */
  snapshotTrees(): Promise<readonly string[]>;
  readonly workers: number | undefined;
}

/** Reads all trees that there are, and finds those that nothing leads to. */
export async function findRootTrees(options: FindRootsOptions): Promise<RootTrees> {
  const { repository, progress, snapshotTrees, workers, signal } = options;
  const { index, backend } = repository;
  const { table } = index;
  const graph = new TreeGraph(table);
  const count = table.count;
  const groups = new PackGroups(index);
  // What the store has was compared before; a pack that goes meanwhile is found when it is read.
  const listedSizes = groups.sizes;
  const readings = planTreeReadings(index, { groups, listedSizes });
  progress.total = readings.length;
  await using pool = new CpuPool({
    setup: workerSetup(repository, table.shared),
    ...(workers === undefined ? {} : { workers }),
  });
  const reader = new PackReader(backend, pool, { signal });
  await reader.each(readings, async (reading) => {
    try {
      graph.add((await reader.verify(reading)).output.edges);
    } catch (error) {
      await whyUnusable(error, backend, { signal });
    }
    progress.done++;
  });
  const known = BitSet.create(count);
  const words = new Uint32Array(8);
  for (const id of await snapshotTrees()) {
    const entry = table.find("tree", idWords(id, words));
    if (entry >= 0) known.add(entry);
  }
  let trees = 0;
  let unreadable = 0;
  for (let entry = 0; entry < count; entry++) {
    if (!isTree(entry)) continue;
    trees++;
    if (!graph.isRead(entry)) unreadable++;
    for (const child of graph.children(entry)) known.add(child);
  }
  const roots: string[] = [];
  for (let entry = 0; entry < count; entry++) {
    if (isTree(entry) && graph.isRead(entry) && !known.has(entry)) roots.push(table.idOf(entry));
  }
  const isLedTo = (treeId: string): boolean => {
    const entry = table.find("tree", idWords(treeId, words));
    return entry >= 0 && known.has(entry);
  };
  return { roots: roots.sort(), isLedTo, trees, unreadable };

  /** Of several copies, one counts. */
  function isTree(entry: number): boolean {
    return table.typeOf(entry) === "tree" && table.canonical(entry) === entry;
  }
}
