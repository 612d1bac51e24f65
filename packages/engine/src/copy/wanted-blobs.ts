import type { BlobTable } from "../index/blob-table.ts";

/** Batches of one run at most; the last one takes what comes on top. */
export const BATCHES_MAX = 0xfffe;

const UNSEEN = 0;
/** The target has it. */
const PRESENT = 0xffff;

/**
 * For every blob of the source whether the target lacks it, and with which batch it is copied: two
 * bytes a blob, in memory that all threads share.
 */
export class WantedBlobs {
  readonly shared: SharedArrayBuffer;
  readonly #marks: Uint16Array;
  readonly #source: BlobTable;
  readonly #target: BlobTable;
  blobs = 0;
  bytes = 0;

  constructor(source: BlobTable, target: BlobTable, shared?: SharedArrayBuffer) {
    this.#source = source;
    this.#target = target;
    this.shared = shared ?? new SharedArrayBuffer(source.count * 2);
    this.#marks = new Uint16Array(this.shared);
  }

  /** Marks a blob by its canonical entry, unless it is marked already or the target has it. */
  add(entry: number, batch: number): void {
    if (Atomics.load(this.#marks, entry) !== UNSEEN) return;
    const source = this.#source;
    const isThere = this.#target.find(source.typeOf(entry), source.idWordsOf(entry)) >= 0;
    const mark = isThere ? PRESENT : batch;
    if (Atomics.compareExchange(this.#marks, entry, UNSEEN, mark) !== UNSEEN || isThere) return;
    this.blobs++;
    this.bytes += source.locationOf(entry).length;
  }

  /** The entries of each batch, by pack and offset. Batches count from 1. */
  byBatch(batches: number): Uint32Array<ArrayBuffer>[] {
    const counts = new Uint32Array(batches + 1);
    for (const mark of this.#marks) if (mark !== PRESENT) (counts[mark] as number)++;
    const lists = Array.from({ length: batches }, (_, i) => new Uint32Array(counts[i + 1] ?? 0));
    counts.fill(0);
    for (const [entry, mark] of this.#marks.entries()) {
      if (mark === UNSEEN || mark === PRESENT) continue;
      (lists[mark - 1] as Uint32Array)[counts[mark] as number] = entry;
      (counts[mark] as number)++;
    }
    return lists.map((list) => inPackOrder(this.#source, list));
  }
}

/** Sorts entries by pack, and within a pack by offset. */
export function inPackOrder<T extends Uint32Array>(table: BlobTable, entries: T): T {
  const compare = (a: number, b: number): number => {
    const packs = table.packOf(a) - table.packOf(b);
    return packs === 0 ? table.locationOf(a).offset - table.locationOf(b).offset : packs;
  };
  // As index files list them, so mostly they stand in the table; sorting millions takes a while.
  const isSorted = entries.every(
    (entry, place) => place === 0 || compare(entries[place - 1] as number, entry) <= 0,
  );
  if (!isSorted) entries.sort(compare);
  return entries;
}
