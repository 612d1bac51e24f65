import type { PackedBlob } from "../pack/header.ts";
import type { IndexedPack } from "./index-file.ts";
import { BlobTable, idWords, type BlobLocation, type BlobType } from "./blob-table.ts";

export interface FoundBlob extends Omit<BlobLocation, "pack"> {
  /** Id of the pack, 64 hex digits. */
  readonly packId: string;
}

/** The index of a whole repository in memory: where every blob is, and which packs are known. */
export class RepositoryIndex {
  readonly table: BlobTable;
  readonly #packIds: string[] = [];
  readonly #packNumbers = new Map<string, number>();
  readonly #id = new Uint32Array(8);

  constructor(expectedBlobs: number) {
    this.table = BlobTable.create(expectedBlobs);
  }

  /** An empty index with room for what index files of so many bytes in all may list. */
  static forFiles(bytes: number): RepositoryIndex {
    // Compressed index files hold a blob in 45 bytes or more.
    return new RepositoryIndex(Math.ceil(bytes / 40));
  }

  /**
   * Adds what an index file lists. Where another file listed the pack already, only blobs that it
   * did not name are added: mostly none.
   */
  addPack(pack: IndexedPack): void {
    const known = this.#packNumbers.has(pack.id);
    const number = this.packNumber(pack.id);
    for (const blob of pack.blobs) {
      const words = idWords(blob.id, this.#id);
      if (known && this.#isListed(blob, words, number)) continue;
      this.table.add(blob.type, words, {
        pack: number,
        offset: blob.offset,
        length: blob.length,
        uncompressedLength: blob.uncompressedLength,
      });
    }
  }

  /** The number under which the table knows a pack; a new one is given to a new pack. */
  packNumber(packId: string): number {
    let number = this.#packNumbers.get(packId);
    if (number === undefined) {
      number = this.#packIds.push(packId) - 1;
      this.#packNumbers.set(packId, number);
    }
    return number;
  }

  hasPack(packId: string): boolean {
    return this.#packNumbers.has(packId);
  }

  get packIds(): readonly string[] {
    return this.#packIds;
  }

  /** Whether the blob is stored, or claimed by this run. */
  has(type: BlobType, id: string): boolean {
    return this.table.find(type, idWords(id, this.#id)) >= 0;
  }

  /** Every place where the blob is stored; empty where it is unknown. */
  find(type: BlobType, id: string): FoundBlob[] {
    const words = idWords(id, this.#id);
    const found: FoundBlob[] = [];
    for (let at = this.table.find(type, words); at >= 0; at = this.table.find(type, words, at)) {
      if (this.table.isPending(at)) continue;
      const { pack, ...location } = this.table.locationOf(at);
      found.push({ packId: this.#packIds[pack] as string, ...location });
    }
    return found;
  }

  #isListed(blob: PackedBlob, words: Uint32Array, pack: number): boolean {
    const { table } = this;
    for (let at = table.find(blob.type, words); at >= 0; at = table.find(blob.type, words, at)) {
      const place = table.locationOf(at);
      const same =
        place.pack === pack &&
        place.offset === blob.offset &&
        place.length === blob.length &&
        place.uncompressedLength === blob.uncompressedLength;
      if (same) return true;
    }
    return false;
  }
}
