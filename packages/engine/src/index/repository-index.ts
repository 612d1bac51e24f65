import {
  type BlobLocation,
  type BlobPlace,
  BlobTable,
  type BlobType,
  idWords,
} from "./blob-table.ts";
import type { IndexedPack, PackMark } from "./index-file.ts";
import type { ScannedIndex } from "./scan-index-file.ts";

export interface FoundBlob extends Omit<BlobLocation, "pack"> {
  /** Id of the pack, 64 hex digits. */
  readonly packId: string;
}

export interface RepositoryIndexOptions {
  /**
   * Also takes in packs that wait to be deleted: for what only reads, and for `prune`. Nothing that
   * writes may build on them. Default: false.
   */
  readonly includeMarked?: boolean;
  /**
   * New blobs that are found as quickly as those that are there; more only take longer. Default:
   * as many as a large backup adds, which takes 4 MiB; with marked packs none.
   */
  readonly newBlobsExpected?: number | undefined;
}

/** The index of a whole repository in memory: where every blob is, and which packs are known. */
export class RepositoryIndex {
  readonly table: BlobTable;
  /** By number: packs that wait to be deleted, and that no index file lists as in use. */
  readonly marks: ReadonlyMap<number, PackMark>;
  /** There are packs that wait to be deleted, and they are not in here. */
  hasLeftOutMarked = false;
  readonly #includeMarked: boolean;
  readonly #marks = new Map<number, PackMark>();
  readonly #packIds: string[] = [];
  readonly #packNumbers = new Map<string, number>();
  readonly #id = new Uint32Array(8);

  constructor(expectedBlobs: number, options: RepositoryIndexOptions = {}) {
    const { includeMarked = false } = options;
    // Nothing builds on an index with marked packs: few blobs are added to it, or none.
    const { newBlobsExpected = includeMarked ? 0 : undefined } = options;
    this.table = BlobTable.create(expectedBlobs, newBlobsExpected);
    this.marks = this.#marks;
    this.#includeMarked = includeMarked;
  }

  /** An empty index with room for what index files of so many bytes in all may list. */
  static forFiles(bytes: number, options?: RepositoryIndexOptions): RepositoryIndex {
    // Compressed index files hold a blob in 45 bytes or more.
    return new RepositoryIndex(Math.ceil(bytes / 40), options);
  }

  /**
   * Adds what an index file lists. Where another file listed the pack already, only blobs that it
   * did not name are added: mostly none. One that is listed as in use anywhere is in use.
   */
  addPack(pack: IndexedPack): void {
    const { mark } = pack;
    if (mark !== undefined && !this.#includeMarked) {
      this.hasLeftOutMarked = true;
      return;
    }
    const known = this.#packNumbers.has(pack.id);
    const number = this.packNumber(pack.id);
    if (mark === undefined) this.#marks.delete(number);
    else if (!known || this.#marks.has(number)) this.#mark(number, mark);
    else return;
    for (const blob of pack.blobs) {
      idWords(blob.id, this.#id);
      this.#add(blob.type, blob, number, known);
    }
  }

  /** The same for all packs of an index file that was scanned. */
  addScanned(index: ScannedIndex): void {
    for (const { id, first, end } of index.packs) {
      const known = this.#packNumbers.has(id);
      const number = this.packNumber(id);
      this.#marks.delete(number);
      for (let blob = first; blob < end; blob++) {
        index.readId(blob, this.#id);
        this.#add(index.typeOf(blob), index.placeOf(blob), number, known);
      }
    }
  }

  /** Of two marks the later one counts, and one without a time before all others. */
  #mark(number: number, mark: PackMark): void {
    const other = this.#marks.get(number);
    const since = ({ timeMs = Number.POSITIVE_INFINITY }: PackMark): number => timeMs;
    if (other === undefined || since(mark) > since(other)) this.#marks.set(number, mark);
  }

  #add(type: BlobType, place: BlobPlace, pack: number, packIsKnown: boolean): void {
    if (packIsKnown && this.#isListed(type, place, pack)) return;
    const { offset, length, uncompressedLength } = place;
    this.table.add(type, this.#id, { pack, offset, length, uncompressedLength });
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

  /** Whether the blob whose id stands in `#id` is known at this very place. */
  #isListed(type: BlobType, wanted: BlobPlace, pack: number): boolean {
    const { table } = this;
    const id = this.#id;
    for (let at = table.find(type, id); at >= 0; at = table.find(type, id, at)) {
      const place = table.locationOf(at);
      const same =
        place.pack === pack &&
        place.offset === wanted.offset &&
        place.length === wanted.length &&
        place.uncompressedLength === wanted.uncompressedLength;
      if (same) return true;
    }
    return false;
  }
}
