import type { OperationOptions } from "@comeback/core";
import { damaged } from "@comeback/core";
import { BitSet } from "../check/bit-set.ts";
import { BOX_OVERHEAD_BYTES } from "../crypto/box.ts";
import { type BlobType, idWords } from "../index/blob-table.ts";
import type { Repository } from "../repository/repository.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { plaintextBytes } from "./node-counters.ts";
import type { RepositoryStats, StatsCounter } from "./stats-types.ts";

/** Blobs as they are stored, each once, whoever uses it. */
export class RawData implements StatsCounter {
  readonly #repository: Repository;
  readonly #counted: BitSet;
  readonly #words = new Uint32Array(8);
  #blobs = 0;
  #stored = 0;
  #plain = 0;
  #compressedStored = 0;
  #compressedPlain = 0;

  constructor(repository: Repository) {
    this.#repository = repository;
    this.#counted = BitSet.create(repository.index.table.count);
  }

  async addSnapshot(snapshot: Snapshot, options: OperationOptions): Promise<void> {
    const trees = this.#count("tree", snapshot.tree) ? [snapshot.tree] : [];
    for (let tree = trees.pop(); tree !== undefined; tree = trees.pop()) {
      options.signal?.throwIfAborted();
      for (const node of await this.#repository.loadTree(tree, { signal: options.signal })) {
        for (const id of node.content ?? []) this.#count("data", id);
        if (node.type !== "dir" || node.subtree === undefined) continue;
        if (this.#count("tree", node.subtree)) trees.push(node.subtree);
      }
    }
  }

  result(): Omit<RepositoryStats, "snapshots_count"> {
    const base = { total_size: this.#stored, total_blob_count: this.#blobs };
    // restic counts sizes before compression in repositories that can have it only.
    if (this.#repository.config.version < 2) return base;
    const ratio = this.#compressedPlain / this.#compressedStored;
    const share = this.#compressedPlain / this.#plain;
    const saving = 1 - this.#stored / this.#plain;
    return {
      total_size: this.#stored,
      total_uncompressed_size: this.#plain,
      compression_ratio: this.#compressedStored > 0 ? ratio : 0,
      compression_progress: this.#plain > 0 ? share * 100 : 0,
      compression_space_saving: this.#plain > 0 ? saving * 100 : 0,
      total_blob_count: this.#blobs,
    };
  }

  /** Counts a blob; false where it was counted before. */
  #count(type: BlobType, id: string): boolean {
    const { table } = this.#repository.index;
    const entry = table.find(type, idWords(id, this.#words));
    if (entry < 0) {
      throw damaged(`${type} blob ${id.slice(0, 10)}`, "the index does not list it in any pack");
    }
    if (!this.#counted.add(entry)) return false;
    const place = table.locationOf(entry);
    const plain = plaintextBytes(place) + BOX_OVERHEAD_BYTES;
    this.#blobs++;
    this.#stored += place.length;
    this.#plain += plain;
    if (place.uncompressedLength > 0) {
      this.#compressedStored += place.length;
      this.#compressedPlain += plain;
    }
    return true;
  }
}
