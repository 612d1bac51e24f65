import type { OperationOptions } from "@comeback/core";
import { sha256 } from "../crypto/blob-codec.ts";
import { idWordsFromBytes } from "../index/blob-table.ts";
import type { Packer } from "../pack/packer.ts";
import type { Repository } from "../repository/repository.ts";
import { encodeTree } from "../tree/encode.ts";
import type { TreeNode } from "../tree/types.ts";
import { PackStore } from "./pack-store.ts";

export interface TreeWriterOptions extends OperationOptions {
  /** May be written; with its index loaded, packs that wait to be deleted included: they are read, not built on. */
  readonly repository: Repository;
  /** Only says which ids the trees would have. */
  readonly dryRun: boolean;
}

/** Stores trees that were made from others, one pack at a time. */
export class TreeWriter {
  readonly #repository: Repository;
  readonly #dryRun: boolean;
  readonly #packs: PackStore;
  readonly #packer: Packer;
  readonly #words = new Uint32Array(8);
  /** Trees that this run has stored. */
  stored = 0;

  constructor(options: TreeWriterOptions) {
    this.#repository = options.repository;
    this.#dryRun = options.dryRun;
    this.#packer = options.repository.newPacker("tree");
    this.#packs = new PackStore({
      repository: options.repository,
      dryRun: options.dryRun,
      mayWrite: Promise.resolve(),
      signal: options.signal ?? new AbortController().signal,
      onStored: () => {},
    });
  }

  /** The id of a tree of these nodes, which is stored where it is not known yet. */
  async store(nodes: readonly TreeNode[]): Promise<string> {
    const json = encodeTree(nodes);
    const idBytes = sha256(json);
    const id = idBytes.toString("hex");
    if (this.#dryRun) return id;
    const words = idWordsFromBytes(idBytes, this.#words);
    if (this.#isKept(words)) return id;
    this.#packer.add(idBytes, this.#repository.index.table.claimAgain("tree", words), json);
    this.stored++;
    if (this.#packer.isFull) {
      this.#packs.add(this.#packer.finish(), "tree");
      await this.#packs.room();
    }
    return id;
  }

  /** Resolves once everything is stored and listed: then a snapshot may name it. */
  async finish(): Promise<void> {
    if (!this.#packer.isEmpty) this.#packs.add(this.#packer.finish(), "tree");
    await this.#packs.finish();
  }

  /** After a failure: makes known what was stored before it. Never throws. */
  async salvage(): Promise<void> {
    await this.#packs.salvage();
  }

  /** Whether a pack that stays has the tree, or this run has put it into one. */
  #isKept(words: Uint32Array): boolean {
    const { table, marks } = this.#repository.index;
    for (let at = table.find("tree", words); at >= 0; at = table.find("tree", words, at)) {
      if (table.isPending(at) || !marks.has(table.locationOf(at).pack)) return true;
    }
    return false;
  }
}
