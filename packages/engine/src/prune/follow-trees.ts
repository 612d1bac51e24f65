import { isComebackError, PRUNE_MISSING_NAMED_MAX } from "@comeback/core";
import { BitSet } from "../check/bit-set.ts";
import type { TaskResult, WorkerContext } from "../cpu-pool/worker-context.ts";
import { type BlobTable, idWords } from "../index/blob-table.ts";
import { decodeReferences, type NodeReferences } from "../tree/decode.ts";
import type { FollowTreesInput, FollowTreesOutput, MissingBlob } from "./tasks.ts";

/**
 * Follows trees downwards. A tree is written behind those it leads to, mostly into the same pack:
 * so most of a snapshot is followed in one go, and only what stands elsewhere is handed back.
 */
export function followTrees(
  { codec, table }: WorkerContext,
  { data, startOffset, entries, used }: FollowTreesInput,
): TaskResult<FollowTreesOutput> {
  const collector = new UsedCollector(table, new BitSet(used));
  const failed: number[] = [];
  const id = new Uint8Array(32);
  const stack = [...entries];
  let trees = 0;
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    const place = table.locationOf(entry);
    const start = place.offset - startOffset;
    table.idBytesOf(entry, id);
    const box = data.subarray(start, start + place.length);
    const plaintext = codec.open(id, box, place.uncompressedLength);
    const nodes = plaintext === undefined ? undefined : referencesOf(plaintext);
    if (nodes === undefined) {
      failed.push(entry);
      continue;
    }
    trees++;
    for (const child of collector.add(table.idOf(entry), nodes)) {
      const here = copyWithin(table, child, place.pack, startOffset, data.length);
      if (here >= 0) stack.push(here);
      else collector.next.push(child);
    }
  }
  // Gives the memory back now instead of at the next garbage collection.
  data.buffer.transfer(0);
  const next = Uint32Array.from(collector.next);
  return { output: { next, failed, missing: collector.missing, trees }, transfer: [next.buffer] };
}

function referencesOf(plaintext: Uint8Array): readonly NodeReferences[] | undefined {
  try {
    return decodeReferences(plaintext);
  } catch (error) {
    if (isComebackError(error)) return undefined;
    throw error;
  }
}

/** The copy of a tree in this part of a pack, or -1. */
function copyWithin(
  table: BlobTable,
  tree: number,
  pack: number,
  startOffset: number,
  sizeBytes: number,
): number {
  const id = table.idWordsOf(tree);
  for (let at = table.find("tree", id); at >= 0; at = table.find("tree", id, at)) {
    const place = table.locationOf(at);
    const end = place.offset + place.length;
    if (place.pack === pack && place.offset >= startOffset && end <= startOffset + sizeBytes) {
      return at;
    }
  }
  return -1;
}

/** Takes down what trees name. */
export class UsedCollector {
  readonly next: number[] = [];
  readonly missing: MissingBlob[] = [];
  readonly #table: BlobTable;
  readonly #used: BitSet;
  readonly #words = new Uint32Array(8);

  constructor(table: BlobTable, used: BitSet) {
    this.#table = table;
    this.#used = used;
  }

  /** Marks all that a tree names; the subtrees nobody had come across yet are the result. */
  add(treeId: string, nodes: readonly NodeReferences[]): number[] {
    const found: number[] = [];
    for (const { content, subtree } of nodes) {
      for (const id of content ?? []) this.#use("data", id, treeId);
      if (subtree === undefined || subtree === null) continue;
      const child = this.#use("tree", subtree, treeId);
      if (child >= 0) found.push(child);
    }
    return found;
  }

  /** The blob's canonical entry where it is used for the first time, else -1. */
  #use(type: "data" | "tree", id: string, namedBy: string): number {
    const entry = this.#table.find(type, idWords(id, this.#words));
    if (entry >= 0) return this.#used.add(entry) ? entry : -1;
    if (this.missing.length < PRUNE_MISSING_NAMED_MAX) this.missing.push({ type, id, namedBy });
    return -1;
  }
}
