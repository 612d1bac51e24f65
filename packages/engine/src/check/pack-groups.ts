import type { BlobTable } from "../index/blob-table.ts";
import type { RepositoryIndex } from "../index/repository-index.ts";
import { PACK_HEADER_OVERHEAD_BYTES, packEntryBytes } from "../pack/header.ts";

/** The entries of a blob table by pack: four bytes a blob. */
export class PackGroups {
  readonly #table: BlobTable;
  /** Where the entries of each pack begin in `#entries`; one more for the end. */
  readonly #starts: Uint32Array;
  readonly #entries: Uint32Array<ArrayBuffer>;
  /** What each pack's size must be. */
  readonly sizes: Float64Array;
  readonly trees: Uint32Array;
  /** Bytes of the plaintexts, which is what verifying them costs. */
  readonly plaintextBytes: Float64Array;

  constructor({ table, packIds }: RepositoryIndex) {
    this.#table = table;
    const count = table.count;
    this.#starts = new Uint32Array(packIds.length + 1);
    this.#entries = new Uint32Array(count);
    this.sizes = new Float64Array(packIds.length).fill(PACK_HEADER_OVERHEAD_BYTES);
    this.trees = new Uint32Array(packIds.length);
    this.plaintextBytes = new Float64Array(packIds.length);
    for (let entry = 0; entry < count; entry++) {
      const place = table.locationOf(entry);
      (this.#starts[place.pack + 1] as number)++;
      (this.sizes[place.pack] as number) += place.length + packEntryBytes(place);
      (this.plaintextBytes[place.pack] as number) += place.uncompressedLength || place.length;
      if (table.typeOf(entry) === "tree") (this.trees[place.pack] as number)++;
    }
    for (let pack = 0; pack < packIds.length; pack++) {
      (this.#starts[pack + 1] as number) += this.#starts[pack] as number;
    }
    const next = this.#starts.slice();
    for (let entry = 0; entry < count; entry++) {
      const pack = table.packOf(entry);
      this.#entries[next[pack] as number] = entry;
      (next[pack] as number)++;
    }
  }

  blobCount(pack: number): number {
    return (this.#starts[pack + 1] as number) - (this.#starts[pack] as number);
  }

  /** The entries of a pack by ascending offset, in an array of their own. */
  entriesOf(pack: number): Uint32Array<ArrayBuffer> {
    const entries = this.#entries.slice(this.#starts[pack], this.#starts[pack + 1]);
    const offsets = Float64Array.from(entries, (entry) => this.#table.locationOf(entry).offset);
    if (offsets.every((offset, i) => i === 0 || offset > (offsets[i - 1] as number)))
      return entries;
    return Uint32Array.from(
      Array.from(entries.keys())
        .sort((a, b) => (offsets[a] as number) - (offsets[b] as number))
        .map((i) => entries[i] as number),
    );
  }
}
