import type { RepositoryIndex } from "../index/repository-index.ts";
import { BitSet } from "./bit-set.ts";
import type { ListedPacks } from "./plan-readings.ts";
import type { DamagedBlob } from "./tasks.ts";

/** Keeps which copies of blobs are bad, and tells which blobs are lost with all their copies. */
export class LostBlobs {
  readonly #index: RepositoryIndex;
  readonly #bad: BitSet;
  readonly #badEntries: number[] = [];
  readonly #reasons = new Map<number, string>();

  constructor(index: RepositoryIndex) {
    this.#index = index;
    this.#bad = BitSet.create(index.table.count);
  }

  /** Blobs of packs that are missing or too short for them. */
  addUnreachable({ groups, listedSizes }: ListedPacks): void {
    const { table } = this.#index;
    for (const [pack, listed] of listedSizes.entries()) {
      if (listed >= (groups.sizes[pack] as number)) continue;
      for (const entry of groups.entriesOf(pack)) {
        const { offset, length } = table.locationOf(entry);
        if (offset + length > listed) this.#mark(entry);
      }
    }
  }

  /** All blobs of a pack, or a part of one, that could not be loaded. */
  addUnreadable(entries: Uint32Array, why: string): void {
    for (const entry of entries) this.addDamaged({ entry, why });
  }

  addDamaged({ entry, why }: DamagedBlob): void {
    this.#reasons.set(entry, why);
    this.#mark(entry);
  }

  /** Canonical entries of data blobs that no pack holds intact any more. */
  lostData(): Set<number> {
    const lost = new Set<number>();
    const { table } = this.#index;
    for (const entry of this.#badEntries) {
      if (table.typeOf(entry) !== "data") continue;
      if (this.#copies(entry).every((copy) => this.#bad.has(copy)))
        lost.add(table.canonical(entry));
    }
    return lost;
  }

  /** For each copy of a blob, why it is of no use. */
  reasonsFor(entry: number): string[] {
    const { table, packIds } = this.#index;
    return this.#copies(entry).map((copy) => {
      const pack = `pack ${(packIds[table.packOf(copy)] as string).slice(0, 10)}`;
      const why = this.#reasons.get(copy);
      return why === undefined ? `${pack} is missing or too short` : `in ${pack}: ${why}`;
    });
  }

  #mark(entry: number): void {
    if (this.#bad.add(entry)) this.#badEntries.push(entry);
  }

  #copies(entry: number): number[] {
    const { table } = this.#index;
    const words = table.idWordsOf(entry);
    const type = table.typeOf(entry);
    const copies: number[] = [];
    for (let at = table.find(type, words); at >= 0; at = table.find(type, words, at)) {
      copies.push(at);
    }
    return copies;
  }
}
