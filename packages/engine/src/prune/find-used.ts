import {
  ComebackError,
  type OperationOptions,
  PRUNE_BYTES_IN_FLIGHT_MAX,
  PRUNE_TREE_SPAN_MAX_BYTES,
} from "@comeback/core";
import { BitSet } from "../check/bit-set.ts";
import { Budget } from "../check/budget.ts";
import type { CpuPool } from "../cpu-pool/cpu-pool.ts";
import { type BlobTable, idWords } from "../index/blob-table.ts";
import type { RepositoryIndex } from "../index/repository-index.ts";
import { loadsInFlight } from "../repository/calls-in-flight.ts";
import type { Repository } from "../repository/repository.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { UsedCollector } from "./follow-trees.ts";
import type { MissingBlob } from "./tasks.ts";

interface FindUsedOptions extends OperationOptions {
  readonly repository: Repository;
  readonly pool: CpuPool;
  /** Or any folder of one: what counts is the tree. */
  readonly snapshots: readonly Pick<Snapshot, "id" | "tree">[];
  onTrees?(count: number): void;
}

/**
 * The blobs that snapshots need, by canonical entries. Fails where the index lacks any of them, or
 * a tree cannot be read: of what a repository lacks, nothing may be concluded about the rest.
 */
export async function findUsedBlobs(options: FindUsedOptions): Promise<BitSet> {
  const walk = new TreeWalk(options);
  await walk.run();
  return walk.used;
}

class TreeWalk {
  readonly used: BitSet;
  readonly #options: FindUsedOptions;
  readonly #index: RepositoryIndex;
  readonly #table: BlobTable;
  /** Trees that are still to be read, by pack. */
  readonly #pending = new Map<number, number[]>();
  readonly #seenPacks = new Set<number>();
  readonly #bytes = new Budget(PRUNE_BYTES_IN_FLIGHT_MAX);
  readonly #missing: MissingBlob[] = [];
  readonly #spans: TreeSpans;
  #failure: unknown;

  constructor(options: FindUsedOptions) {
    this.#options = options;
    this.#index = options.repository.index;
    this.#table = this.#index.table;
    this.used = BitSet.create(this.#table.count);
    this.#spans = new TreeSpans(this.#index);
  }

  async run(): Promise<void> {
    const { snapshots, pool, repository } = this.#options;
    const words = new Uint32Array(8);
    for (const { id, tree } of snapshots) {
      const root = this.#table.find("tree", idWords(tree, words));
      if (root < 0) this.#missing.push({ type: "tree", id: tree, namedBy: id });
      else if (this.used.add(root)) this.#plan(root);
    }
    const running = new Set<Promise<void>>();
    const inFlightMax = loadsInFlight(repository.backend, pool.size);
    while (this.#pending.size + running.size > 0) {
      while (running.size < inFlightMax && this.#pending.size > 0) {
        const task = this.#nextTask()
          .catch((error: unknown) => (this.#failure ??= error))
          .then(() => void running.delete(task));
        running.add(task);
      }
      await Promise.race(running);
      if (this.#failure !== undefined || this.#missing.length > 0) break;
    }
    await Promise.all(running);
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#missing.length > 0) throw lacksData(this.#missing);
  }

  #plan(tree: number): void {
    const pack = this.#table.packOf(tree);
    const trees = this.#pending.get(pack);
    if (trees === undefined) this.#pending.set(pack, [tree]);
    else trees.push(tree);
  }

  /** Reads the pack that most trees are waiting for. */
  async #nextTask(): Promise<void> {
    let pack = -1;
    let most = 0;
    for (const [candidate, { length }] of this.#pending) {
      if (length > most) [pack, most] = [candidate, length];
    }
    const entries = this.#pending.get(pack) as number[];
    this.#pending.delete(pack);
    for (const part of this.#parts(pack, entries)) {
      await this.#bytes.use(part.end - part.start, () => this.#follow(pack, part));
    }
  }

  /** The first time all trees of a pack are read, for most of them will be wanted. */
  #parts(pack: number, entries: number[]): { start: number; end: number; entries: number[] }[] {
    const first = !this.#seenPacks.has(pack);
    this.#seenPacks.add(pack);
    const all = this.#spans.of(pack);
    if (first && all.end - all.start <= PRUNE_TREE_SPAN_MAX_BYTES) return [{ ...all, entries }];
    const places = entries.map((entry) => this.#table.locationOf(entry));
    const start = Math.min(...places.map(({ offset }) => offset));
    const end = Math.max(...places.map(({ offset, length }) => offset + length));
    if (end - start <= PRUNE_TREE_SPAN_MAX_BYTES) return [{ start, end, entries }];
    return entries.map((entry, i) => {
      const { offset, length } = places[i] as { offset: number; length: number };
      return { start: offset, end: offset + length, entries: [entry] };
    });
  }

  async #follow(
    pack: number,
    part: { readonly start: number; readonly end: number; readonly entries: readonly number[] },
  ): Promise<void> {
    const { repository, pool, signal, onTrees } = this.#options;
    const { start, end } = part;
    const packId = this.#index.packIds[pack] as string;
    repository.treePackIsRead(packId);
    const entries = Uint32Array.from(part.entries);
    const range = { signal, offset: start, length: end - start };
    let data: Uint8Array<ArrayBuffer>;
    try {
      data = await repository.backend.load({ type: "pack", name: packId }, range);
    } catch (error) {
      signal?.throwIfAborted();
      // Other packs may have these trees: if none has, that is the error.
      for (const entry of entries) await this.#followAlone(entry, error);
      return;
    }
    const input = { data, startOffset: start, entries, used: this.used.shared };
    const output = await pool.run("prune.trees", input, [data.buffer]);
    for (const tree of output.next) this.#plan(tree);
    for (const tree of output.failed) await this.#followAlone(tree, undefined);
    this.#missing.push(...output.missing);
    onTrees?.(output.trees);
  }

  /** Reads one tree from whichever pack has it intact. */
  async #followAlone(entry: number, cause: unknown): Promise<void> {
    const { repository, signal, onTrees } = this.#options;
    const id = this.#table.idOf(entry);
    let nodes;
    try {
      nodes = await repository.loadTree(id, { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw cause ?? error;
    }
    const collector = new UsedCollector(this.#table, this.used);
    for (const tree of collector.add(id, nodes)) this.#plan(tree);
    this.#missing.push(...collector.missing);
    onTrees?.(1);
  }
}

/** From where to where in each pack there are trees: sixteen bytes a pack. */
class TreeSpans {
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;

  constructor({ table, packIds }: RepositoryIndex) {
    this.#starts = new Float64Array(packIds.length).fill(Number.POSITIVE_INFINITY);
    this.#ends = new Float64Array(packIds.length);
    for (let entry = 0; entry < table.count; entry++) {
      if (table.typeOf(entry) !== "tree") continue;
      const { pack, offset, length } = table.locationOf(entry);
      this.#starts[pack] = Math.min(this.#starts[pack] as number, offset);
      this.#ends[pack] = Math.max(this.#ends[pack] as number, offset + length);
    }
  }

  of(pack: number): { start: number; end: number } {
    return { start: this.#starts[pack] as number, end: this.#ends[pack] as number };
  }
}

function lacksData(missing: readonly MissingBlob[]): ComebackError {
  const [first] = missing as [MissingBlob];
  const { type, id, namedBy } = first;
  const more = missing.length > 1 ? ", and more" : "";
  return new ComebackError("repository.damaged", "the index lacks data that snapshots need", {
    why: `${type} blob ${id.slice(0, 10)}, which ${namedBy.slice(0, 10)} names${more}`,
    next: "nothing was changed: run `comeback check`, then repair, before anything is removed",
  });
}
