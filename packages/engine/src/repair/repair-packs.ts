import type { OperationOptions } from "@comeback/core";
import { PackStore } from "../archive/pack-store.ts";
import { type BlobType, idWords } from "../index/blob-table.ts";
import type { PackedBlob } from "../pack/header.ts";
import type { Packer } from "../pack/packer.ts";
import type { Repository } from "../repository/repository.ts";
import { type ExaminedPack, examinePack } from "./examine-pack.ts";
import { IndexWriter } from "./index-writer.ts";
import { findPackFile, listedBlobs, type PackRepairPlan } from "./pack-repair-plan.ts";
import { removeFiles } from "./remove-files.ts";
import {
  enterPhase,
  type RepairObserver,
  type RepairProgress,
  startProgress,
} from "./repair-progress.ts";
import { loadIndexFile } from "./survey-index.ts";

export interface RepairPacksOptions extends OperationOptions {
  /** Open, its index loaded. */
  readonly repository: Repository;
  readonly plan: PackRepairPlan;
  /** Keeps a damaged pack as it is somewhere else, for good, before anything is changed. */
  keep(packId: string, data: Uint8Array): Promise<void>;
  readonly observer?: RepairObserver;
}

export interface PackRepairResult {
  readonly blobsSaved: number;
  readonly blobsLost: number;
  readonly packsRemoved: number;
}

/**
 * Carries a plan out, under an exclusive lock: intact blobs go to new packs as they are; once these
 * are stored and listed, the index forgets the damaged packs; then their files go.
 */
export async function repairPacks(options: RepairPacksOptions): Promise<PackRepairResult> {
  const { repository, plan, observer, signal = new AbortController().signal } = options;
  const progress = startProgress(observer);
  const damaged = plan.packs.filter(({ state }) => state === "damaged").map(({ id }) => id);
  const missing = plan.packs.filter(({ state }) => state === "missing").map(({ id }) => id);
  const store = new PackStore({
    repository,
    dryRun: false,
    mayWrite: Promise.resolve(),
    signal,
    onStored: () => {},
  });
  const salvager = new Salvager(repository, store);
  const listed = listedBlobs(repository);
  enterPhase(progress, "packs", damaged.length);
  let blobsLost = plan.packs.reduce((sum, pack) => {
    return pack.state === "missing" ? sum + pack.lostBlobs : sum;
  }, 0);
  try {
    for (const id of damaged) {
      const file = await findPackFile(repository, id, { signal });
      if (file !== undefined) {
        const examined = await examinePack(repository, file, listed(id), { signal });
        await options.keep(id, examined.data);
        await store.room();
        salvager.add(examined);
        blobsLost += examined.lost.length;
      }
      progress.done++;
    }
    salvager.finish();
    await store.finish();
  } catch (error) {
    await store.salvage();
    throw error;
  }
  await forgetPacks(repository, new Set([...damaged, ...missing]), progress, { signal });
  await removeFiles(repository, "pack", damaged, progress, { signal });
  progress.phase = "done";
  return { blobsSaved: salvager.blobs, blobsLost, packsRemoved: damaged.length };
}

/** Copies intact blobs into new packs, each once, as the boxes that they are. */
class Salvager {
  readonly #repository: Repository;
  readonly #store: PackStore;
  readonly #packers: Readonly<Record<BlobType, Packer>>;
  readonly #known: number;
  readonly #words = new Uint32Array(8);
  blobs = 0;

  constructor(repository: Repository, store: PackStore) {
    this.#repository = repository;
    this.#store = store;
    this.#packers = { data: repository.newPacker("data"), tree: repository.newPacker("tree") };
    this.#known = repository.index.table.count;
  }

  add({ data, intact }: ExaminedPack): void {
    for (const blob of intact) this.#copy(data, blob);
  }

  finish(): void {
    for (const type of ["data", "tree"] as const) {
      const packer = this.#packers[type];
      if (!packer.isEmpty) this.#store.add(packer.finish(), type);
    }
  }

  /** Other copies may be as damaged as this pack is: nobody has looked. So one is always made. */
  #copy(data: Uint8Array<ArrayBuffer>, blob: PackedBlob): void {
    const { table } = this.#repository.index;
    const words = idWords(blob.id, this.#words);
    // An entry that is newer than the index is a copy that was just made.
    if (table.find(blob.type, words) >= this.#known) return;
    const entry = table.claimAgain(blob.type, words);
    const { length, uncompressedLength } = blob;
    table.place(entry, { offset: data.byteOffset + blob.offset, length, uncompressedLength });
    const packer = this.#packers[blob.type];
    packer.absorb({ buffer: data.buffer, entries: new Uint32Array(0) }, entry);
    this.blobs++;
    if (packer.isFull) this.#store.add(packer.finish(), blob.type);
  }
}

/** Takes packs out of all index files that list them. */
async function forgetPacks(
  repository: Repository,
  packs: ReadonlySet<string>,
  progress: RepairProgress,
  call: OperationOptions,
): Promise<void> {
  const names: string[] = [];
  for await (const { name } of repository.backend.list("index", call)) names.push(name);
  enterPhase(progress, "writing", names.length);
  const writer = new IndexWriter(repository, call);
  const old: string[] = [];
  for (const name of names) {
    const { listed } = await loadIndexFile(repository, name, call);
    progress.done++;
    if (!listed.some(({ id }) => packs.has(id))) continue;
    old.push(name);
    for (const pack of listed) if (!packs.has(pack.id)) await writer.add(pack);
  }
  await writer.finish();
  await removeFiles(repository, "index", old, progress, call);
}
