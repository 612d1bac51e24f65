import { PackStore } from "../archive/pack-store.ts";
import { idWords } from "../index/blob-table.ts";
import type { Packer } from "../pack/packer.ts";
import type { Repository } from "../repository/repository.ts";

/** Stores trees that a repair has made, and makes them known. */
export class TreeStore {
  readonly #repository: Repository;
  readonly #packs: PackStore;
  readonly #packer: Packer;
  readonly #stored = new Set<string>();

  constructor(repository: Repository, signal: AbortSignal) {
    this.#repository = repository;
    this.#packer = repository.newPacker("tree");
    this.#packs = new PackStore({
      repository,
      dryRun: false,
      mayWrite: Promise.resolve(),
      signal,
      onStored: () => {},
    });
  }

  /** One copy is always made: those that are known may be damaged, or wait to be deleted. */
  async add(id: string, json: Uint8Array): Promise<void> {
    if (this.#stored.has(id)) return;
    this.#stored.add(id);
    const { table } = this.#repository.index;
    const entry = table.claimAgain("tree", idWords(id, new Uint32Array(8)));
    this.#packer.add(Buffer.from(id, "hex"), entry, json);
    if (!this.#packer.isFull) return;
    this.#packs.add(this.#packer.finish(), "tree");
    await this.#packs.room();
  }

  /** Resolves once everything is stored and listed: then a snapshot may name it. */
  async finish(): Promise<void> {
    if (!this.#packer.isEmpty) this.#packs.add(this.#packer.finish(), "tree");
    await this.#packs.finish();
  }

  /** After a failure: makes known what was stored. Never throws. */
  async salvage(): Promise<void> {
    await this.#packs.salvage();
  }
}
