import { assert, ComebackError } from "@comeback/core";
import { HEX_VALUES } from "./hex.ts";

export type BlobType = "data" | "tree";

/** 32-bit words of one entry: id (8), pack, offset, type and length, uncompressed length, next. */
const ENTRY_WORDS = 13;
const ENTRY_BYTES = ENTRY_WORDS * 4;
const WORD_PACK = 8;
const WORD_OFFSET = 9;
const WORD_LENGTH = 10;
const WORD_UNCOMPRESSED = 11;
const WORD_NEXT = 12;

/** In the length word: set for trees. Lengths stay below 2^31. */
const TREE_BIT = 0x8000_0000;
/** In the pack word: claimed by a writer, not in any stored pack yet. */
const PACK_PENDING = 0xffff_ffff;

const HEADS_MIN = 1 << 14;
/** New blobs that a run finds as quickly as those that it began with. */
const NEW_BLOBS_EXPECTED = 1_250_000;
/** Entries for each head, at most: at 1 it could be 61 bytes a blob, at 1.25 it is 59. */
const HEADS_LOAD_MAX = 1.25;
/** New blobs of one run that the table has room for. */
const NEW_BLOBS_MAX = 1 << 26;
/** The memory grows by this much, or 320,000 entries. */
const GROW_BYTES = 16 * 1024 * 1024;

/** Where in its pack a blob stands. */
export interface BlobPlace {
  readonly offset: number;
  /** Bytes of the box. */
  readonly length: number;
  /** Bytes of the plaintext where it is compressed, else 0. */
  readonly uncompressedLength: number;
}

export interface BlobLocation extends BlobPlace {
  /** The number of the pack. */
  readonly pack: number;
}

/** What a worker needs to see the same table. */
export interface SharedBlobTable {
  readonly words: SharedArrayBuffer;
  readonly heads: SharedArrayBuffer;
  readonly counter: SharedArrayBuffer;
}

/**
 * Which blobs the repository holds, and where: a hash table with chaining in shared memory, so that
 * all threads look up and claim without a message. Entries are appended in order, so the memory in
 * use is what the blobs need (52 bytes each, and 3 to 7 for its share of the heads).
 *
 * Any thread may `find`, `claim`, and `place` what it claimed. Only the main thread may `add` and
 * `setPack`.
 */
export class BlobTable {
  readonly shared: SharedBlobTable;
  /** The part of the memory that this thread knows of: another one may have made it larger. */
  #words: Uint32Array;
  /** The same memory as bytes. */
  #bytes: Buffer;
  readonly #heads: Uint32Array;
  readonly #counter: Uint32Array;
  readonly #mask: number;

  constructor(shared: SharedBlobTable) {
    this.shared = shared;
    // Views of a fixed length: ones that follow the buffer's length are ten times as slow.
    this.#words = new Uint32Array(shared.words, 0, shared.words.byteLength >>> 2);
    this.#bytes = Buffer.from(shared.words, 0, shared.words.byteLength);
    this.#heads = new Uint32Array(shared.heads);
    this.#counter = new Uint32Array(shared.counter);
    this.#mask = this.#heads.length - 1;
  }

  /** An empty table with room for `expected` known blobs and the new ones of a run. */
  static create(expected: number, newBlobsExpected: number = NEW_BLOBS_EXPECTED): BlobTable {
    let heads = HEADS_MIN;
    while (heads * HEADS_LOAD_MAX < Math.max(expected, newBlobsExpected)) heads *= 2;
    return new BlobTable({
      words: new SharedArrayBuffer(Math.max(1, expected) * ENTRY_BYTES, {
        // Only address space: what is not used yet counts as memory nowhere, also not in a fork.
        maxByteLength: (expected + NEW_BLOBS_MAX) * ENTRY_BYTES,
      }),
      heads: new SharedArrayBuffer(heads * 4),
      counter: new SharedArrayBuffer(8),
    });
  }

  /** Entries in the table, duplicates included. */
  get count(): number {
    return Atomics.load(this.#counter, 0);
  }

  /**
   * The entry of blob `id` (8 words, as `idWords` gives them), or -1. With `after`, the next entry
   * of the same blob behind that one: an index may hold a blob in several packs.
   */
  find(type: BlobType, id: Uint32Array, after = -1): number {
    const tree = type === "tree";
    let entry =
      after < 0
        ? Atomics.load(this.#heads, (id[0] as number) & this.#mask)
        : (this.#words[this.#at(after) + WORD_NEXT] as number);
    while (entry !== 0) {
      const at = this.#at(entry - 1);
      if (this.#equals(at, id, tree)) return entry - 1;
      entry = this.#words[at + WORD_NEXT] as number;
    }
    return -1;
  }

  /** Adds a stored blob, also where the same one is there already. Main thread only. */
  add(type: BlobType, id: Uint32Array, location: BlobLocation): number {
    const entry = this.#append(type, id);
    this.place(entry, location);
    this.setPack(entry, location.pack);
    const slot = (id[0] as number) & this.#mask;
    this.#words[this.#at(entry) + WORD_NEXT] = this.#heads[slot] as number;
    Atomics.store(this.#heads, slot, entry + 1);
    return entry;
  }

  /**
   * Claims blob `id` for the calling thread: the new entry where no one holds or claimed it yet,
   * otherwise -1. Of several threads that claim the same blob, exactly one gets an entry.
   */
  claim(type: BlobType, id: Uint32Array): number {
    if (this.find(type, id) >= 0) return -1;
    const slot = (id[0] as number) & this.#mask;
    const tree = type === "tree";
    const entry = this.#append(type, id);
    const next = this.#at(entry) + WORD_NEXT;
    let seen = 0;
    for (;;) {
      const head = Atomics.load(this.#heads, slot);
      // Entries that other threads put in front since the look-up may be the same blob.
      for (let other = head; other !== seen;) {
        const at = this.#at(other - 1);
        if (this.#equals(at, id, tree)) return -1;
        other = this.#words[at + WORD_NEXT] as number;
        if (other === 0) break;
      }
      this.#words[next] = head;
      if (Atomics.compareExchange(this.#heads, slot, head, entry + 1) === head) return entry;
      seen = head;
    }
  }

  /** Claims one more copy of a blob, because those that are known cannot be read. */
  claimAgain(type: BlobType, id: Uint32Array): number {
    const slot = (id[0] as number) & this.#mask;
    const entry = this.#append(type, id);
    const next = this.#at(entry) + WORD_NEXT;
    for (;;) {
      const head = Atomics.load(this.#heads, slot);
      this.#words[next] = head;
      if (Atomics.compareExchange(this.#heads, slot, head, entry + 1) === head) return entry;
    }
  }

  /** Records where in its pack a claimed blob stands. By the thread that claimed it. */
  place(entry: number, place: BlobPlace): void {
    const at = this.#at(entry);
    const words = this.#words;
    words[at + WORD_OFFSET] = place.offset;
    words[at + WORD_LENGTH] =
      (((words[at + WORD_LENGTH] as number) & TREE_BIT) | place.length) >>> 0;
    words[at + WORD_UNCOMPRESSED] = place.uncompressedLength;
  }

  /** Records that the pack of a claimed blob is stored. Main thread only. */
  setPack(entry: number, pack: number): void {
    this.#words[this.#at(entry) + WORD_PACK] = pack;
  }

  isPending(entry: number): boolean {
    return this.#words[this.#at(entry) + WORD_PACK] === PACK_PENDING;
  }

  typeOf(entry: number): BlobType {
    return (this.#words[this.#at(entry) + WORD_LENGTH] as number) >= TREE_BIT ? "tree" : "data";
  }

  /** The number of the pack that holds the entry. */
  packOf(entry: number): number {
    return this.#words[this.#at(entry) + WORD_PACK] as number;
  }

  locationOf(entry: number): BlobLocation {
    const at = this.#at(entry);
    const words = this.#words;
    return {
      pack: words[at + WORD_PACK] as number,
      offset: words[at + WORD_OFFSET] as number,
      length: ((words[at + WORD_LENGTH] as number) & ~TREE_BIT) >>> 0,
      uncompressedLength: words[at + WORD_UNCOMPRESSED] as number,
    };
  }

  /** The first entry that `find` gives for the blob of this entry: the same one for all its copies. */
  canonical(entry: number): number {
    return this.find(this.typeOf(entry), this.idWordsOf(entry));
  }

  /** The eight words of an entry's id; a view of the table itself. */
  idWordsOf(entry: number): Uint32Array {
    const at = this.#at(entry);
    return this.#words.subarray(at, at + 8);
  }

  /** The id of an entry as its 32 bytes, into `target`. */
  idBytesOf(entry: number, target: Uint8Array): void {
    const at = this.#at(entry) * 4;
    target.set(this.#bytes.subarray(at, at + 32));
  }

  /** The id of an entry, as 64 hex digits. */
  idOf(entry: number): string {
    const at = this.#at(entry) * 4;
    return this.#bytes.toString("hex", at, at + 32);
  }

  #equals(at: number, id: Uint32Array, tree: boolean): boolean {
    const words = this.#words;
    for (let i = 0; i < 8; i++) if (words[at + i] !== id[i]) return false;
    return (words[at + WORD_LENGTH] as number) >= TREE_BIT === tree;
  }

  /** Where an entry begins in `#words`, which is renewed where it does not reach that far yet. */
  #at(entry: number): number {
    const at = entry * ENTRY_WORDS;
    if (at + ENTRY_WORDS > this.#words.length) {
      const { words } = this.shared;
      this.#words = new Uint32Array(words, 0, words.byteLength >>> 2);
      this.#bytes = Buffer.from(words, 0, words.byteLength);
    }
    return at;
  }

  #append(type: BlobType, id: Uint32Array): number {
    const entry = Atomics.add(this.#counter, 0, 1);
    const { words } = this.shared;
    if ((entry + 1) * ENTRY_BYTES > words.maxByteLength) {
      throw new ComebackError("internal.assertion", "the index of this run is full", {
        why: `one run can store ${NEW_BLOBS_MAX} new blobs`,
        next: "run the backup again: it goes on from what was stored",
      });
    }
    growTo(words, (entry + 1) * ENTRY_BYTES);
    const at = this.#at(entry);
    this.#words.set(id, at);
    this.#words[at + WORD_PACK] = PACK_PENDING;
    this.#words[at + WORD_LENGTH] = type === "tree" ? TREE_BIT : 0;
    return entry;
  }
}

/** Makes the memory at least `bytes` long. Several threads may do so at once. */
function growTo(memory: SharedArrayBuffer, bytes: number): void {
  while (memory.byteLength < bytes) {
    const wanted = Math.ceil(bytes / GROW_BYTES) * GROW_BYTES;
    try {
      memory.grow(Math.min(wanted, memory.maxByteLength));
    } catch (error) {
      // Another thread may have made it larger than that in between: it cannot shrink.
      if (memory.byteLength < bytes) throw error;
    }
  }
}

/** Whether `text` is an id as every restic file names it: 64 lower-case hex digits. */
export function isId(text: unknown): text is string {
  return typeof text === "string" && /^[0-9a-f]{64}$/.test(text);
}

/**
 * The eight 32-bit words of an id in hex, into `target`: the id's bytes as they stand in memory
 * (little-endian, as on every processor this runs on). The caller has checked `isId`.
 */
export function idWords(hex: string, target: Uint32Array): Uint32Array {
  assert(hex.length === 64, "an id has 64 hex digits");
  for (let word = 0, at = 0; word < 8; word++, at += 8) {
    target[word] =
      (HEX_VALUES[hex.charCodeAt(at)] as number) * 0x10 +
      (HEX_VALUES[hex.charCodeAt(at + 1)] as number) +
      (HEX_VALUES[hex.charCodeAt(at + 2)] as number) * 0x1000 +
      (HEX_VALUES[hex.charCodeAt(at + 3)] as number) * 0x100 +
      (HEX_VALUES[hex.charCodeAt(at + 4)] as number) * 0x10_0000 +
      (HEX_VALUES[hex.charCodeAt(at + 5)] as number) * 0x1_0000 +
      (HEX_VALUES[hex.charCodeAt(at + 6)] as number) * 0x1000_0000 +
      (HEX_VALUES[hex.charCodeAt(at + 7)] as number) * 0x100_0000;
  }
  return target;
}

/** The same words from the id's 32 bytes. */
export function idWordsFromBytes(bytes: Uint8Array, target: Uint32Array): Uint32Array {
  for (let word = 0; word < 8; word++) {
    const at = word * 4;
    target[word] =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
  }
  return target;
}
