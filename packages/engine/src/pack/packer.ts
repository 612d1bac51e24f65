import { type BlobCodec, sealedBound, sha256 } from "../crypto/blob-codec.ts";
import type { BoxCipher } from "../crypto/box.ts";
import type { BlobTable, BlobType } from "../index/blob-table.ts";
import {
  encodePackHeader,
  PACK_HEADER_OVERHEAD_BYTES,
  type PackedBlob,
  packEntryBytes,
} from "./header.ts";

/** Blobs are larger than this only where someone else's chunker cut them; the buffer grows then. */
const USUAL_BLOB_MAX_BYTES = 9 * 1024 * 1024;

/** A pack whose blobs are sealed and whose header is not written yet. Can go to another thread. */
export interface OpenPack {
  readonly buffer: ArrayBuffer;
  /** The entries of its blobs in the blob table, which says where in `buffer` each one is. */
  readonly entries: Uint32Array<ArrayBuffer>;
}

/** A pack as it is stored. */
export interface FinishedPack extends OpenPack {
  /** SHA-256 of the content: the pack's name. */
  readonly id: string;
  /** Bytes of `buffer` that the pack takes. */
  readonly bytes: number;
}

/** A blob as another repository's pack holds it. */
export interface ForeignBlob {
  readonly id: Uint8Array;
  readonly box: Uint8Array;
  readonly uncompressedLength: number;
}

/**
 * Collects sealed blobs of one type until a pack is full (restic design, "Pack Format": version 2
 * never mixes trees and data). Blobs are compressed and encrypted right into the pack's buffer.
 */
export class Packer {
  readonly #codec: BlobCodec;
  readonly #table: BlobTable;
  readonly #type: BlobType;
  readonly #packSizeBytes: number;
  #buffer: Uint8Array<ArrayBuffer> | undefined;
  #bytes = 0;
  #headerBytes = PACK_HEADER_OVERHEAD_BYTES;
  #entries: number[] = [];

  constructor(options: {
    readonly codec: BlobCodec;
    readonly table: BlobTable;
    readonly type: BlobType;
    readonly packSizeBytes: number;
  }) {
    this.#codec = options.codec;
    this.#table = options.table;
    this.#type = options.type;
    this.#packSizeBytes = options.packSizeBytes;
  }

  get isFull(): boolean {
    return this.#bytes + this.#headerBytes >= this.#packSizeBytes;
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** Seals a blob, whose `entry` the caller claimed, into the pack. Returns the bytes of its box. */
  add(idBytes: Uint8Array, entry: number, plaintext: Uint8Array): number {
    const target = this.#room(sealedBound(plaintext.length));
    const sealed = this.#codec.seal(this.#type, idBytes, plaintext, target);
    this.#append(entry, sealed.length, sealed.uncompressedLength);
    return sealed.length;
  }

  /**
   * Takes over a blob of another repository, compressed as it is there. `claim` is only called for a
   * blob that holds. True where it was taken, false where `claim` gave no entry (it is known by now),
   * `undefined` where it is damaged.
   */
  adopt(blob: ForeignBlob, from: BoxCipher, claim: () => number): boolean | undefined {
    const { id, box, uncompressedLength } = blob;
    const target = this.#room(box.length);
    const sealed = this.#codec.reseal(id, box, { from, uncompressedLength, target });
    if (sealed === undefined) return undefined;
    const entry = claim();
    if (entry < 0) return false;
    this.#append(entry, sealed.length, sealed.uncompressedLength);
    return true;
  }

  /** Takes over a box of this repository as it is; the caller has proven that it holds. */
  addBox(entry: number, box: Uint8Array, uncompressedLength: number): void {
    this.#room(box.length).set(box);
    this.#append(entry, box.length, uncompressedLength);
  }

  /** Takes one blob over from a pack that another packer left open. */
  absorb(other: OpenPack, entry: number): void {
    const { offset, length, uncompressedLength } = this.#table.locationOf(entry);
    this.#room(length).set(new Uint8Array(other.buffer, offset, length));
    this.#append(entry, length, uncompressedLength);
  }

  /** Writes header and trailer, and gives the pack away. */
  finish(): FinishedPack {
    const blobs = this.#entries.map((entry) => packedBlob(this.#table, entry));
    const header = encodePackHeader(blobs, this.#codec.cipher);
    this.#room(header.length).set(header);
    const bytes = this.#bytes + header.length;
    const { buffer, entries } = this.take() as OpenPack;
    const id = sha256(new Uint8Array(buffer, 0, bytes)).toString("hex");
    return { id, buffer, bytes, entries };
  }

  /** Gives away what was collected, without a header; `undefined` where there is nothing. */
  take(): OpenPack | undefined {
    if (this.#buffer === undefined || this.isEmpty) return undefined;
    const open = { buffer: this.#buffer.buffer, entries: new Uint32Array(this.#entries) };
    this.#buffer = undefined;
    this.#bytes = 0;
    this.#headerBytes = PACK_HEADER_OVERHEAD_BYTES;
    this.#entries = [];
    return open;
  }

  #append(entry: number, length: number, uncompressedLength: number): void {
    this.#table.place(entry, { offset: this.#bytes, length, uncompressedLength });
    this.#entries.push(entry);
    this.#bytes += length;
    this.#headerBytes += packEntryBytes({ uncompressedLength });
  }

  /** The free part of the buffer, at least `bytes` long. */
  #room(bytes: number): Uint8Array {
    this.#buffer ??= new Uint8Array(packCapacityBytes(this.#packSizeBytes));
    if (this.#buffer.length - this.#bytes < bytes) {
      const larger = new Uint8Array(this.#bytes + bytes + this.#packSizeBytes);
      larger.set(this.#buffer.subarray(0, this.#bytes));
      this.#buffer = larger;
    }
    return this.#buffer.subarray(this.#bytes);
  }
}

/** Room for a full pack and mostly for one blob beyond; pages that are not touched cost nothing. */
export function packCapacityBytes(packSizeBytes: number): number {
  return packSizeBytes + sealedBound(Math.min(USUAL_BLOB_MAX_BYTES, packSizeBytes));
}

/** What header and index say of a blob that stands in a pack. */
export function packedBlob(table: BlobTable, entry: number): PackedBlob {
  const { offset, length, uncompressedLength } = table.locationOf(entry);
  return { type: table.typeOf(entry), id: table.idOf(entry), offset, length, uncompressedLength };
}
