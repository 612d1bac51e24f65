import { BitSet } from "../check/bit-set.ts";
import { TreeGraph } from "../check/tree-graph.ts";
import type { CpuPool } from "../cpu-pool/cpu-pool.ts";
import { idWords } from "../index/blob-table.ts";
import type { Repository } from "../repository/repository.ts";
import { decodeTree } from "../tree/decode.ts";
import type { LostBlobs } from "./lost-blobs.ts";
import { type Piece, planPieces } from "./pieces.ts";
import type { PieceReader } from "./read-pieces.ts";
import { TreeReader } from "./read-trees.ts";
import { readAgain } from "./source-blob.ts";
import type { CopyTreesOutput } from "./tasks.ts";
import { inPackOrder, type WantedBlobs } from "./wanted-blobs.ts";

export interface SourceTreesOptions {
  readonly source: Repository;
  readonly wanted: WantedBlobs;
  readonly lost: LostBlobs;
  readonly reader: PieceReader;
  readonly pool: CpuPool;
  readonly signal: AbortSignal;
  onWanted(blobs: number, bytes: number): void;
}

/** The trees of the source, level by level: each is read once, whatever snapshots share it. */
export class SourceTrees {
  readonly #options: SourceTreesOptions;
  readonly #graph: TreeGraph;
  readonly #visited: BitSet;
  readonly #words = new Uint32Array(8);

  constructor(options: SourceTreesOptions) {
    const { table } = options.source.index;
    this.#options = options;
    this.#graph = new TreeGraph(table);
    this.#visited = BitSet.create(table.count);
  }

  /** The entry of a snapshot's top tree; -1 where the source does not list it. */
  rootOf({ tree }: { readonly tree: string }): number {
    return this.#options.source.index.table.find("tree", idWords(tree, this.#words));
  }

  /** Reads all that `roots` lead to and that was not read before, and marks what is wanted of it. */
  async walk(roots: readonly number[], batch: number): Promise<void> {
    const { source, wanted, reader, pool } = this.#options;
    const { table } = source.index;
    let level = roots.filter((root) => this.#visited.add(root));
    while (level.length > 0) {
      const next: number[] = [];
      const again = (entry: number, packId: string): Promise<void> =>
        this.#readAgain(entry, { packId, batch, next });
      const entries = inPackOrder(table, Uint32Array.from(level));
      await reader.each(this.#pieces(entries), {
        use: async (piece, data) => {
          const input = { ...partOf(piece), data, marks: wanted.shared, batch };
          const output = await pool.run("copy.trees", input, [data.buffer]);
          this.#take(output, next);
          for (const entry of output.damaged) await again(entry, piece.packId);
        },
        onUnreadable: async ({ entries: unread, packId }) => {
          for (const entry of unread) await again(entry, packId);
        },
      });
      level = next;
    }
  }

  /** Those of `roots` that lead to something lost. */
  async findBroken(roots: readonly number[]): Promise<ReadonlySet<number>> {
    const { lost } = this.#options;
    if (lost.count === 0) return new Set();
    const reached: number[] = [];
    this.#graph.reach(roots, (tree) => reached.push(tree));
    const users = lost.hasData ? await this.#usersOfLost(reached) : new Set<number>();
    const isBad = (tree: number): boolean => users.has(tree) || lost.bits.has(tree);
    const leading = this.#graph.leadingTo({ has: isBad }, roots);
    return new Set(roots.filter((root) => leading.has(root)));
  }

  async #usersOfLost(trees: readonly number[]): Promise<Set<number>> {
    const { source, lost, reader, pool } = this.#options;
    const { table } = source.index;
    const users = new Set<number>();
    const again = async (entries: Iterable<number>): Promise<void> => {
      for (const entry of entries) {
        // One that could never be read is lost itself.
        if (this.#graph.isRead(entry) && (await this.#mayUseLost(entry))) users.add(entry);
      }
    };
    const entries = inPackOrder(table, Uint32Array.from(trees));
    await reader.each(this.#pieces(entries), {
      use: async (piece, data) => {
        const input = { ...partOf(piece), data, lost: lost.bits.shared };
        const output = await pool.run("copy.users", input, [data.buffer]);
        for (const user of output.users) users.add(user);
        await again(output.damaged);
      },
      onUnreadable: (piece) => again(piece.entries),
    });
    return users;
  }

  /** Whether a tree that was read before names a lost blob. One that gives no answer now may do so. */
  async #mayUseLost(tree: number): Promise<boolean> {
    const { source, lost, signal } = this.#options;
    const read = await readAgain(source, tree, { signal });
    if ("why" in read) return true;
    const { table } = source.index;
    const isLost = (id: string): boolean => {
      const blob = table.find("data", idWords(id, this.#words));
      return blob >= 0 && lost.bits.has(blob);
    };
    return decodeTree(read.plaintext).some(({ content }) => content?.some(isLost));
  }

  /** Where these trees stand. Their packs are read again and again: a cache may keep them. */
  *#pieces(entries: Uint32Array): Generator<Piece> {
    const { source } = this.#options;
    for (const piece of planPieces(source.index, entries)) {
      source.treePackIsRead(piece.packId);
      yield piece;
    }
  }

  async #readAgain(
    entry: number,
    at: { readonly packId: string; readonly batch: number; readonly next: number[] },
  ): Promise<void> {
    const { source, wanted, lost, signal } = this.#options;
    const read = await readAgain(source, entry, { signal });
    if ("why" in read) {
      lost.addUnreadable(entry, at.packId, read.why);
      return;
    }
    const { blobs, bytes } = wanted;
    const reader = new TreeReader(source.index.table, wanted, at.batch);
    reader.read(entry, read.plaintext);
    this.#take(
      {
        edges: reader.edges(),
        incomplete: reader.incomplete,
        wantedBlobs: wanted.blobs - blobs,
        wantedBytes: wanted.bytes - bytes,
      },
      at.next,
    );
  }

  #take(output: Omit<CopyTreesOutput, "damaged">, next: number[]): void {
    const { edges } = output;
    this.#graph.add(edges);
    for (let at = 0; at < edges.length;) {
      const end = at + 2 + (edges[at + 1] as number);
      for (let child = at + 2; child < end; child++) {
        const tree = edges[child] as number;
        if (this.#visited.add(tree)) next.push(tree);
      }
      at = end;
    }
    for (const { tree, why } of output.incomplete) this.#options.lost.addIncomplete(tree, why);
    this.#options.onWanted(output.wantedBlobs, output.wantedBytes);
  }
}

function partOf({ startOffset, entries }: Piece): Pick<Piece, "startOffset" | "entries"> {
  return { startOffset, entries };
}
