import type { OperationOptions } from "@comeback/core";
import { isComebackError } from "@comeback/core";
import type { IndexFileListing } from "../index/add-index-file.ts";
import { PackGroups } from "../check/pack-groups.ts";
import type { RepositoryIndex } from "../index/repository-index.ts";
import type { Repository } from "../repository/repository.ts";
import { eachConcurrently } from "../repository/repository.ts";
import { loadSnapshot } from "../repository/snapshots.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";

/** What one index file lists, by pack numbers. */
export interface ListedFilePacks {
  readonly packs: Uint32Array;
  readonly marked: Uint32Array;
}

/** What a prune knows of the repository. Everything by pack is in arrays, by pack number. */
export interface PruneState {
  readonly index: RepositoryIndex;
  /** Of the entries that there were when the plan was made. */
  readonly groups: PackGroups;
  /** For each entry the one that stands for all copies of its blob: it changes once more are added. */
  readonly canonical: Uint32Array;
  readonly indexFiles: ReadonlyMap<string, ListedFilePacks>;
  /** The size of each pack's file, -1 where there is none. */
  readonly listedSizes: Float64Array;
  /** Packs that no index file lists. */
  readonly strangers: ReadonlyMap<string, number>;
}

/** Loads snapshots that are not in `known`, and adds their names to it. */
export async function loadNewSnapshots(
  repository: Repository,
  known: Set<string>,
  options: OperationOptions,
): Promise<Snapshot[]> {
  const snapshots: Snapshot[] = [];
  for (let isComplete = false; !isComplete;) {
    isComplete = true;
    const names: string[] = [];
    for await (const { name } of repository.backend.list("snapshot", options)) {
      if (!known.has(name)) names.push(name);
    }
    await eachConcurrently(names, repository.backend.connections, async (name) => {
      try {
        snapshots.push(await loadSnapshot(repository, name, options));
      } catch (error) {
        if (!isComebackError(error, "backend.not-found")) throw error;
        // Forgotten, or replaced by a changed one, which is then in a new list.
        isComplete = false;
      }
      known.add(name);
    });
  }
  return snapshots;
}

/** Loads the whole index, and takes down which file lists what. */
export async function loadPruneIndex(
  repository: Repository,
  options: OperationOptions,
): Promise<{ index: RepositoryIndex; indexFiles: Map<string, ListedFilePacks> }> {
  const listings = new Map<string, IndexFileListing>();
  const index = await repository.loadIndex({
    ...options,
    includeMarked: true,
    onFile: (name, listing) => void listings.set(name, listing),
  });
  const numbers = (ids: readonly string[]): Uint32Array =>
    Uint32Array.from(ids, (id) => index.packNumber(id));
  const indexFiles = new Map<string, ListedFilePacks>();
  for (const [name, { packs, marked }] of listings) {
    indexFiles.set(name, { packs: numbers(packs), marked: numbers(marked) });
  }
  return { index, indexFiles };
}

/** Lists the packs, and arranges the index by them. */
export async function loadPackState(
  repository: Repository,
  loaded: { index: RepositoryIndex; indexFiles: ReadonlyMap<string, ListedFilePacks> },
  options: OperationOptions,
): Promise<PruneState> {
  const { index } = loaded;
  const { table, packIds } = index;
  const listedSizes = new Float64Array(packIds.length).fill(-1);
  const strangers = new Map<string, number>();
  for await (const { name, sizeBytes } of repository.backend.list("pack", options)) {
    if (index.hasPack(name)) listedSizes[index.packNumber(name)] = sizeBytes;
    else strangers.set(name, sizeBytes);
  }
  const unlisted = packIds.keys().filter((pack) => listedSizes[pack] === -1);
  await eachConcurrently(unlisted, repository.backend.connections, async (pack) => {
    listedSizes[pack] = await sizeOf(repository, packIds[pack] as string, options);
  });
  const canonical = new Uint32Array(table.count);
  for (let entry = 0; entry < canonical.length; entry++) canonical[entry] = table.canonical(entry);
  return { ...loaded, groups: new PackGroups(index), canonical, listedSizes, strangers };
}

/** Of a pack that is not in the list, which on some stores lags behind; -1 where there is none. */
async function sizeOf(
  { backend }: Repository,
  name: string,
  options: OperationOptions,
): Promise<number> {
  try {
    return (await backend.stat({ type: "pack", name }, options)).sizeBytes;
  } catch (error) {
    if (isComebackError(error, "backend.not-found")) return -1;
    throw error;
  }
}
