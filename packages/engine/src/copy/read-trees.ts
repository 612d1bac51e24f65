import { isComebackError, messageOf } from "@comeback/core";
import { BitSet } from "../check/bit-set.ts";
import type { TaskResult, WorkerContext } from "../cpu-pool/worker-context.ts";
import { type BlobTable, type BlobType, idWords } from "../index/blob-table.ts";
import { decodeTree } from "../tree/decode.ts";
import type { TreeNode } from "../tree/types.ts";
import type {
  CopyPiece,
  CopyTreesInput,
  CopyTreesOutput,
  CopyUsersInput,
  CopyUsersOutput,
  IncompleteTree,
} from "./tasks.ts";
import { WantedBlobs } from "./wanted-blobs.ts";

/** Collects what trees of the source lead to, and marks what of it has to be copied. */
export class TreeReader {
  readonly incomplete: IncompleteTree[] = [];
  readonly wanted: WantedBlobs;
  readonly #table: BlobTable;
  readonly #batch: number;
  readonly #words = new Uint32Array(8);
  readonly #edges: number[] = [];

  constructor(table: BlobTable, wanted: WantedBlobs, batch: number) {
    this.#table = table;
    this.wanted = wanted;
    this.#batch = batch;
  }

  edges(): Uint32Array<ArrayBuffer> {
    return Uint32Array.from(this.#edges);
  }

  /** Reads a tree whose id has been checked. */
  read(tree: number, plaintext: Uint8Array): void {
    const children: number[] = [];
    let why: string | undefined;
    const find = (type: BlobType, id: string): number => {
      const entry = this.#table.find(type, idWords(id, this.#words));
      if (entry < 0) why ??= `${type} blob ${id.slice(0, 8)} is not in the index`;
      return entry;
    };
    try {
      for (const node of decodeTree(plaintext)) {
        for (const id of node.content ?? []) {
          const entry = find("data", id);
          if (entry >= 0) this.wanted.add(entry, this.#batch);
        }
        if (node.type !== "dir") continue;
        const subtree = node.subtree === undefined ? -1 : find("tree", node.subtree);
        if (subtree >= 0) children.push(subtree);
        else why ??= "a folder in it has no tree";
      }
    } catch (error) {
      if (!isComebackError(error)) throw error;
      why = error.why ?? messageOf(error);
    }
    if (why !== undefined) this.incomplete.push({ tree, why });
    this.wanted.add(tree, this.#batch);
    this.#edges.push(tree, children.length);
    for (const child of children) this.#edges.push(child);
  }
}

/** The task "copy.trees". */
export function readTrees(
  context: WorkerContext,
  input: CopyTreesInput,
): TaskResult<CopyTreesOutput> {
  const { table } = context.source;
  const wanted = new WantedBlobs(table, context.table, input.marks);
  const reader = new TreeReader(table, wanted, input.batch);
  const damaged: number[] = [];
  openEach(context, input, (entry, plaintext) => {
    if (plaintext === undefined) damaged.push(entry);
    else reader.read(entry, plaintext);
  });
  const edges = reader.edges();
  const { incomplete } = reader;
  const { blobs: wantedBlobs, bytes: wantedBytes } = wanted;
  return {
    output: { edges, damaged, incomplete, wantedBlobs, wantedBytes },
    transfer: [edges.buffer],
  };
}

/** The task "copy.users". Trees that are lost themselves are known as such, and passed over. */
export function findUsers(
  context: WorkerContext,
  input: CopyUsersInput,
): TaskResult<CopyUsersOutput> {
  const { table } = context.source;
  const lost = new BitSet(input.lost);
  const words = new Uint32Array(8);
  const users: number[] = [];
  const damaged: number[] = [];
  const isLost = (id: string): boolean => {
    const entry = table.find("data", idWords(id, words));
    return entry >= 0 && lost.has(entry);
  };
  const usesLost = ({ content }: TreeNode): boolean => content?.some(isLost) ?? false;
  openEach(context, input, (entry, plaintext) => {
    if (plaintext === undefined) damaged.push(entry);
    else if (!lost.has(entry) && decodeTree(plaintext).some(usesLost)) users.push(entry);
  });
  return { output: { users, damaged } };
}

/** Opens every blob of a piece, and gives the piece's memory back. */
function openEach(
  context: WorkerContext,
  { data, startOffset, entries }: CopyPiece,
  use: (entry: number, plaintext: Uint8Array | undefined) => void,
): void {
  const { table, codec } = context.source;
  const id = new Uint8Array(32);
  for (const entry of entries) {
    const { offset, length, uncompressedLength } = table.locationOf(entry);
    table.idBytesOf(entry, id);
    const start = offset - startOffset;
    use(entry, codec.open(id, data.subarray(start, start + length), uncompressedLength));
  }
  data.buffer.transfer(0);
}
