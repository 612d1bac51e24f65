import { isComebackError } from "@comeback/core";
import type { TaskResult, WorkerContext } from "../cpu-pool/worker-context.ts";
import { idWords } from "../index/blob-table.ts";
import { decodeTree } from "../tree/decode.ts";
import type { TreeNode } from "../tree/types.ts";
import { BitSet } from "./bit-set.ts";
import type { CheckReferencesInput, CheckReferencesOutput } from "./tasks.ts";

/** Marks the blobs that reachable trees of a pack use, and names the users of those asked for. */
export function findReferences(
  context: WorkerContext,
  input: CheckReferencesInput,
): TaskResult<CheckReferencesOutput> {
  const { table } = context;
  const reached = new BitSet(input.reached);
  const used = new BitSet(input.used);
  const wanted = input.wanted === undefined ? undefined : new BitSet(input.wanted);
  const users: { tree: number; nodeName: string }[] = [];
  const words = new Uint32Array(8);
  for (const entry of input.entries) {
    const tree = table.canonical(entry);
    if (table.typeOf(entry) !== "tree" || !reached.has(tree)) continue;
    for (const node of readTree(context, input, entry)) {
      let isUser = false;
      for (const id of node.content ?? []) {
        const blob = table.find("data", idWords(id, words));
        if (blob < 0) continue;
        used.add(blob);
        isUser ||= wanted?.has(blob) ?? false;
      }
      if (isUser) users.push({ tree, nodeName: node.name });
    }
  }
  // Gives the memory back now instead of at the next garbage collection.
  input.data.buffer.transfer(0);
  return { output: { users } };
}

/** The nodes of a tree, or none where it is damaged: that has been reported before. */
function readTree(
  { codec, table }: WorkerContext,
  { data, startOffset }: CheckReferencesInput,
  entry: number,
): TreeNode[] {
  const place = table.locationOf(entry);
  const start = place.offset - startOffset;
  const id = new Uint8Array(32);
  table.idBytesOf(entry, id);
  const box = data.subarray(start, start + place.length);
  const plaintext = codec.open(id, box, place.uncompressedLength);
  if (plaintext === undefined) return [];
  try {
    return decodeTree(plaintext);
  } catch (error) {
    if (isComebackError(error)) return [];
    throw error;
  }
}
