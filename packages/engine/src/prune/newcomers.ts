import { ComebackError, type OperationOptions } from "@comeback/core";
import type { CpuPool } from "../cpu-pool/cpu-pool.ts";
import { addIndexFile } from "../index/add-index-file.ts";
import { findUsedBlobs } from "./find-used.ts";
import type { PruneWork } from "./plan.ts";
import type { PackAction } from "./prune-options.ts";
import { loadNewSnapshots } from "./prune-state.ts";

/** What a pack becomes that turns out to be needed. */
const WHEN_NEEDED: Readonly<Record<PackAction, PackAction | undefined>> = {
  keep: "keep",
  recover: "recover",
  repack: "keep",
  remove: "keep",
  delete: "recover",
  wait: "recover",
  adopt: undefined,
  drop: undefined,
};

/**
 * Looks for snapshots and index files that appeared since the plan was made, and changes what is
 * done with packs that they need: these stay, or are in use again. Returns those packs.
 */
export async function protectNewcomers(
  work: PruneWork,
  pool: CpuPool,
  options: OperationOptions,
): Promise<ReadonlySet<number>> {
  const { repository, state, actions, snapshotNames } = work;
  const { index } = state;
  const changed = new Set<number>();
  const need = (pack: number): boolean => {
    const action = actions[pack];
    // Not there when the plan was made: nothing will happen to it.
    if (action === undefined) return true;
    const next = WHEN_NEEDED[action];
    if (next === undefined || (state.listedSizes[pack] as number) < 0) return false;
    if (next !== action) changed.add(pack);
    actions[pack] = next;
    return true;
  };
  const snapshots = await loadNewSnapshots(repository, snapshotNames, options);
  for (const name of await newIndexFiles(work, options)) {
    const json = await repository.loadUnpacked("index", name, options);
    work.indexNames.add(name);
    const { packs } = addIndexFile(index, json, `index ${name.slice(0, 8)}`);
    for (const id of packs) need(index.packNumber(id));
  }
  if (snapshots.length === 0) return changed;
  const { table } = index;
  const used = await findUsedBlobs({ repository, pool, snapshots, ...options });
  const stays = (pack: number): boolean => {
    const action = actions[pack];
    return action === undefined || action === "keep" || action === "recover";
  };
  for (let blob = 0; blob < table.count; blob++) {
    if (!used.has(blob)) continue;
    const copies: number[] = [];
    const id = table.idWordsOf(blob);
    const type = table.typeOf(blob);
    for (let at = table.find(type, id); at >= 0; at = table.find(type, id, at)) {
      if (!table.isPending(at)) copies.push(table.packOf(at));
    }
    if (copies.some(stays) || copies.some(need)) continue;
    throw new ComebackError("repository.damaged", "a new snapshot needs data that is missing", {
      why: `no pack that is there holds blob ${table.idOf(blob).slice(0, 10)}`,
      next: "nothing was removed: run `comeback check`",
    });
  }
  return changed;
}

async function newIndexFiles(
  { repository, indexNames }: PruneWork,
  options: OperationOptions,
): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of repository.backend.list("index", options)) {
    if (!indexNames.has(name)) names.push(name);
  }
  return names;
}
