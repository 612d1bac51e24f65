import {
  INDEX_FILE_MAX_BLOBS,
  isComebackError,
  type OperationOptions,
  PRUNE_INDEX_FILES_IN_FLIGHT_MAX,
  PRUNE_REMOVALS_IN_FLIGHT_MAX,
  PRUNE_SMALL_INDEX_BLOBS,
} from "@comeback/core";
import type { CpuPool } from "../cpu-pool/cpu-pool.ts";
import type { PackMark } from "../index/index-file.ts";
import { eachConcurrently, type Repository } from "../repository/repository.ts";
import type { PruneWork } from "./plan.ts";
import type { PruneMode } from "./prune-options.ts";
import type { ListedFilePacks } from "./prune-state.ts";
import { readStrangers } from "./strangers.ts";
import type { PackToList } from "./tasks.ts";

/** How index files changed. */
export interface IndexChanges {
  readonly written: number;
  readonly removed: number;
}

/**
 * Replaces the index files that list a pack whose state changes. All new ones are written before
 * the first old one goes: at every moment each blob in use is listed, and a pack that both an old
 * and a new file list counts as in use. Files that appeared since the plan was made stay untouched.
 */
export async function rewriteIndex(
  work: PruneWork,
  pool: CpuPool,
  options: OperationOptions & { readonly mode: PruneMode },
): Promise<IndexChanges> {
  const { mode } = options;
  const { repository, state, progress } = work;
  const strangers = mode === "two-phase" ? state.strangers : new Map<string, number>();
  const replaced = replacedFiles(work);
  if (replaced.length === 0 && strangers.size === 0) return { written: 0, removed: 0 };
  progress.phase = "rewrite";
  const markMs = repository.clock.now();
  const writer = new IndexWriter(work, pool, options);
  for (const pack of packsOf(replaced.map(([, listed]) => listed))) {
    const mark = markOf(work, mode, pack, markMs);
    if (mark !== undefined)
      await writer.add(listingOf(work, pack, mark === "none" ? {} : { mark }));
  }
  for await (const { id, blobs, sizeBytes } of readStrangers(repository, strangers, options)) {
    await writer.add({ id, blobs, mark: { timeMs: markMs, sizeBytes } });
  }
  await writer.finish();
  const names = replaced.map(([name]) => name);
  await removeFiles(repository, "index", names, options);
  return { written: writer.files, removed: names.length };
}

/** Lists packs as in use, in index files of their own. */
export async function listAgain(
  work: PruneWork,
  pool: CpuPool,
  packs: Iterable<number>,
  options: OperationOptions,
): Promise<number> {
  const writer = new IndexWriter(work, pool, options);
  for (const pack of packs) await writer.add(listingOf(work, pack, {}));
  await writer.finish();
  return writer.files;
}

export async function removeFiles(
  repository: Repository,
  type: "index" | "pack",
  names: Iterable<string>,
  options: OperationOptions,
  onRemoved: (name: string) => void = () => {},
): Promise<void> {
  const { backend } = repository;
  await eachConcurrently(names, PRUNE_REMOVALS_IN_FLIGHT_MAX, async (name) => {
    options.signal?.throwIfAborted();
    await repository.assertLocked();
    try {
      await backend.remove({ type, name }, options);
    } catch (error) {
      // A pack that is locked is one that no index lists from now on: a later prune removes it.
      if (type === "pack" && isComebackError(error, "backend.retained")) return;
      throw error;
    }
    onRemoved(name);
  });
}

/** Index files that list anything wrongly from now on, and with them those that are very small. */
function replacedFiles(work: PruneWork): [string, ListedFilePacks][] {
  const { state, actions } = work;
  const { marks } = state.index;
  const isWrong = ({ packs, marked }: ListedFilePacks): boolean =>
    packs.some((pack) => actions[pack] !== "keep") ||
    marked.some((pack) => actions[pack] !== "wait" || marks.get(pack)?.timeMs === undefined);
  const files = [...state.indexFiles];
  const wrong = files.filter(([, listed]) => isWrong(listed));
  if (wrong.length === 0) return [];
  const small = files.filter(([, listed]) => {
    const blobs = listed.packs.reduce((sum, pack) => sum + state.groups.blobCount(pack), 0);
    return listed.marked.length === 0 && blobs < PRUNE_SMALL_INDEX_BLOBS && !isWrong(listed);
  });
  return [...wrong, ...small];
}

function packsOf(listings: readonly ListedFilePacks[]): Set<number> {
  const packs = new Set<number>();
  for (const { packs: live, marked } of listings) {
    for (const pack of live) packs.add(pack);
    for (const pack of marked) packs.add(pack);
  }
  return packs;
}

/** The mark that a pack has from now on, "none" where it is in use, nothing where it is gone. */
function markOf(
  { state, actions }: PruneWork,
  mode: PruneMode,
  pack: number,
  markMs: number,
): PackMark | "none" | undefined {
  const sizeBytes = state.listedSizes[pack] as number;
  switch (actions[pack]) {
    case "keep":
    case "recover":
      return "none";
    case "repack":
    case "remove":
      return mode === "two-phase" ? { timeMs: markMs, sizeBytes } : undefined;
    case "wait":
      return { timeMs: state.index.marks.get(pack)?.timeMs ?? markMs, sizeBytes };
    case "delete":
    case "drop":
    case "adopt":
    case undefined:
  }
  return undefined;
}

function listingOf(
  { state }: PruneWork,
  pack: number,
  more: Pick<PackToList, "mark"> | object,
): PackToList {
  const { index, groups } = state;
  return { id: index.packIds[pack] as string, blobs: groups.entriesOf(pack).slice(), ...more };
}

/**
 * Collects packs into index files; marked ones into their own, so that the others read quickly. The
 * files are made by workers: compressing a large index takes longer than all else that is written.
 */
class IndexWriter {
  files = 0;
  readonly #work: PruneWork;
  readonly #pool: CpuPool;
  readonly #options: OperationOptions;
  readonly #open = { live: emptyBatch(), marked: emptyBatch() };
  readonly #saving: Set<Promise<void>> = new Set();
  #failure: unknown;

  constructor(work: PruneWork, pool: CpuPool, options: OperationOptions) {
    this.#work = work;
    this.#pool = pool;
    this.#options = options;
  }

  async add(pack: PackToList): Promise<void> {
    const kind = pack.mark === undefined ? "live" : "marked";
    const batch = this.#open[kind];
    batch.packs.push(pack);
    // A pack counts as one more, so that a file of packs without blobs has an end, too.
    batch.blobs += pack.blobs.length + 1;
    if (batch.blobs < INDEX_FILE_MAX_BLOBS) return;
    this.#save(kind);
    while (this.#saving.size > PRUNE_INDEX_FILES_IN_FLIGHT_MAX) await Promise.race(this.#saving);
    this.#throwFailure();
  }

  /** Those in use first: should it end in between, they are listed once more, and no harm is done. */
  async finish(): Promise<void> {
    this.#save("live");
    this.#save("marked", Promise.all(this.#saving));
    await Promise.all(this.#saving);
    this.#throwFailure();
  }

  /** `before` is what has to be saved first; the file is made meanwhile. */
  #save(kind: "live" | "marked", before?: Promise<unknown>): void {
    const { packs } = this.#open[kind];
    this.#open[kind] = emptyBatch();
    if (packs.length === 0) return;
    const saving = this.#write(packs, before)
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => this.#saving.delete(saving));
    this.#saving.add(saving);
  }

  async #write(packs: PackToList[], before: Promise<unknown> | undefined): Promise<void> {
    const { repository, indexNames } = this.#work;
    const { stored } = await this.#pool.run("prune.index", { packs });
    await before;
    // What had to come first did not.
    if (this.#failure !== undefined) return;
    this.#options.signal?.throwIfAborted();
    indexNames.add(await repository.saveSealed("index", stored, this.#options));
    this.files++;
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}

function emptyBatch(): { packs: PackToList[]; blobs: number } {
  return { packs: [], blobs: 0 };
}
