import type { OperationOptions } from "@comeback/core";
import { BitSet } from "../check/bit-set.ts";
import { type BlobType, idWords } from "../index/blob-table.ts";
import type { Repository } from "../repository/repository.ts";
import { plaintextBytes } from "../stats/node-counters.ts";
import type { TreeNode } from "../tree/types.ts";
import type { DiffCounts } from "./diff-options.ts";

/**
 * Blobs of one side of a comparison: one bit for each in the index, and the ids of those that it
 * does not list.
 */
export class BlobSide {
  readonly #repository: Repository;
  readonly #bits: BitSet;
  readonly #words = new Uint32Array(8);
  readonly #unlisted = new Map<string, BlobType>();

  constructor(repository: Repository) {
    this.#repository = repository;
    this.#bits = BitSet.create(repository.index.table.count);
  }

  /** Adds a blob; false where it was there already. */
  add(type: BlobType, id: string): boolean {
    const entry = this.#repository.index.table.find(type, idWords(id, this.#words));
    if (entry >= 0) return this.#bits.add(entry);
    const isNew = !this.#unlisted.has(id);
    this.#unlisted.set(id, type);
    return isNew;
  }

  /** The blobs that a node names itself. */
  addNode(node: TreeNode): void {
    if (node.type === "dir" && node.subtree !== undefined) this.add("tree", node.subtree);
    if (node.type === "file") for (const id of node.content ?? []) this.add("data", id);
  }

  has(entry: number): boolean {
    return this.#bits.has(entry);
  }

  /** Blobs that are here and in no index: nobody knows their size. */
  get unlisted(): ReadonlyMap<string, BlobType> {
    return this.#unlisted;
  }
}

/** Whether a blob is on one side only. */
export function isAnyBlobDifferent(repository: Repository, a: BlobSide, b: BlobSide): boolean {
  const { count } = repository.index.table;
  for (let entry = 0; entry < count; entry++) if (a.has(entry) !== b.has(entry)) return true;
  const isElsewhere = (id: string): boolean => a.unlisted.has(id) && b.unlisted.has(id);
  return ![...a.unlisted.keys(), ...b.unlisted.keys()].every(isElsewhere);
}

/** Counts what is in `side`, and neither in `other` nor in what both have in common. */
export function countBlobs(
  repository: Repository,
  sides: { readonly side: BlobSide; readonly other: BlobSide; readonly common: BlobSide },
  counts: DiffCounts,
): string[] {
  const { table } = repository.index;
  const { side, other, common } = sides;
  for (let entry = 0; entry < table.count; entry++) {
    if (!side.has(entry) || other.has(entry) || common.has(entry)) continue;
    counts[table.typeOf(entry) === "tree" ? "treeBlobs" : "dataBlobs"]++;
    counts.bytes += plaintextBytes(table.locationOf(entry));
  }
  const unlisted = [...side.unlisted].filter(
    ([id]) => !other.unlisted.has(id) && !common.unlisted.has(id),
  );
  for (const [, type] of unlisted) counts[type === "tree" ? "treeBlobs" : "dataBlobs"]++;
  return unlisted.map(([id]) => id);
}

/** Adds everything below a tree. No tree is loaded twice. */
export async function addTreeBelow(
  repository: Repository,
  tree: string,
  walk: { readonly blobs: BlobSide; readonly walked: BlobSide } & OperationOptions,
): Promise<void> {
  const { blobs, walked, signal } = walk;
  const trees = [tree];
  for (let id = trees.pop(); id !== undefined; id = trees.pop()) {
    if (!walked.add("tree", id)) continue;
    for (const node of await repository.loadTree(id, { signal })) {
      blobs.addNode(node);
      if (node.type === "dir" && node.subtree !== undefined) trees.push(node.subtree);
    }
  }
}
