import type { OperationOptions } from "@comeback/core";
import { damaged } from "@comeback/core";
import { BitSet } from "../check/bit-set.ts";
import { type BlobTable, type BlobType, idWords } from "../index/blob-table.ts";
import type { Repository } from "../repository/repository.ts";
import { bySnapshotTime } from "../repository/snapshots.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { plaintextBytes } from "./node-counters.ts";

/** What one snapshot added to those before it. */
export interface SnapshotGrowth {
  readonly snapshot: Snapshot;
  /** Bytes of all its files, each name counted. */
  readonly logicalBytes: number;
  /** Blobs that no snapshot before it uses. */
  readonly addedBlobs: number;
  /** Their bytes before compression, and as they are stored. */
  readonly addedBytes: number;
  readonly addedStoredBytes: number;
  /** Stored bytes of all snapshots so far. */
  readonly totalStoredBytes: number;
  /** Bytes of all files of all snapshots so far for each byte that is stored; 0 while none is. */
  readonly dedupRatio: number;
}

export interface GrowthOptions extends OperationOptions {
  /** Open, with its index loaded. */
  readonly repository: Repository;
  readonly snapshots: readonly Snapshot[];
  /** Told of each snapshot before it is read. */
  onSnapshot?(snapshot: Snapshot, number: number): void;
}

/**
 * How a repository grew, snapshot by snapshot in the order of time. Every tree is loaded once,
 * whatever the number of snapshots that have it.
 */
export async function computeGrowth(options: GrowthOptions): Promise<SnapshotGrowth[]> {
  const counter = new GrowthCounter(options.repository, options.signal);
  const snapshots = options.snapshots.toSorted(bySnapshotTime);
  const growth: SnapshotGrowth[] = [];
  for (const [i, snapshot] of snapshots.entries()) {
    options.onSnapshot?.(snapshot, i + 1);
    growth.push(await counter.add(snapshot));
  }
  return growth;
}

interface OpenTree {
  readonly entry: number;
  readonly subtrees: string[];
  bytes: number;
}

class GrowthCounter {
  readonly #repository: Repository;
  readonly #signal: AbortSignal | undefined;
  readonly #table: BlobTable;
  readonly #counted: BitSet;
  /** For each tree that was walked the bytes of all files below it. */
  readonly #bytesBelow: Float64Array;
  readonly #words = new Uint32Array(8);
  #blobs = 0;
  #bytes = 0;
  #stored = 0;
  #logicalTotal = 0;

  constructor(repository: Repository, signal: AbortSignal | undefined) {
    this.#repository = repository;
    this.#signal = signal;
    this.#table = repository.index.table;
    this.#counted = BitSet.create(this.#table.count);
    this.#bytesBelow = new Float64Array(this.#table.count);
  }

  async add(snapshot: Snapshot): Promise<SnapshotGrowth> {
    const before = { blobs: this.#blobs, bytes: this.#bytes, stored: this.#stored };
    const logicalBytes = await this.#walk(snapshot.tree);
    this.#logicalTotal += logicalBytes;
    return {
      snapshot,
      logicalBytes,
      addedBlobs: this.#blobs - before.blobs,
      addedBytes: this.#bytes - before.bytes,
      addedStoredBytes: this.#stored - before.stored,
      totalStoredBytes: this.#stored,
      dedupRatio: this.#stored === 0 ? 0 : this.#logicalTotal / this.#stored,
    };
  }

  /** Counts what is new below a tree; resolves to the bytes of all its files. */
  async #walk(treeId: string): Promise<number> {
    const stack: OpenTree[] = [];
    await this.#enter(stack, treeId);
    for (let tree = stack.at(-1); tree !== undefined; tree = stack.at(-1)) {
      const subtree = tree.subtrees.pop();
      if (subtree !== undefined) {
        await this.#enter(stack, subtree);
        continue;
      }
      stack.pop();
      this.#bytesBelow[tree.entry] = tree.bytes;
      const parent = stack.at(-1);
      if (parent !== undefined) parent.bytes += tree.bytes;
    }
    return this.#bytesBelow[this.#entryOf("tree", treeId)] as number;
  }

  /** Opens a tree that is new; of one that was walked, only the sum is taken. */
  async #enter(stack: OpenTree[], treeId: string): Promise<void> {
    this.#signal?.throwIfAborted();
    const entry = this.#entryOf("tree", treeId);
    if (!this.#count(entry)) {
      const parent = stack.at(-1);
      if (parent !== undefined) parent.bytes += this.#bytesBelow[entry] as number;
      return;
    }
    const tree: OpenTree = { entry, subtrees: [], bytes: 0 };
    for (const node of await this.#repository.loadTree(treeId, { signal: this.#signal })) {
      for (const id of node.content ?? []) this.#count(this.#entryOf("data", id));
      if (node.type === "file") tree.bytes += Number(node.size);
      if (node.type === "dir" && node.subtree !== undefined) tree.subtrees.push(node.subtree);
    }
    stack.push(tree);
  }

  #entryOf(type: BlobType, id: string): number {
    const entry = this.#table.find(type, idWords(id, this.#words));
    if (entry >= 0) return entry;
    throw damaged(`${type} blob ${id.slice(0, 10)}`, "the index does not list it in any pack");
  }

  /** Counts a blob; false where it was counted before. */
  #count(entry: number): boolean {
    if (!this.#counted.add(entry)) return false;
    const place = this.#table.locationOf(entry);
    this.#blobs++;
    this.#bytes += plaintextBytes(place);
    this.#stored += place.length;
    return true;
  }
}
