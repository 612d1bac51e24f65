import { CHUNK_MAX_BYTES } from "@comeback/core";
import { type BlobCodec, sealedBound, sha256 } from "../crypto/blob-codec.ts";
import type { BlobType } from "../index/blob-table.ts";
import { encodePackHeader, packHeaderBytes, type PackedBlob } from "./header.ts";

/** A pack whose blobs are sealed and whose header is not written yet. Can go to another thread. */
export interface OpenPack {
  readonly buffer: ArrayBuffer;
  /** Bytes of `buffer` that blobs fill. */
  readonly bytes: number;
  readonly blobs: PackedBlob[];
  /** For each blob its entry in the blob table. */
  readonly entries: number[];
}

/** A pack as it is stored. */
export interface FinishedPack {
  /** SHA-256 of the content: the pack's name. */
  readonly id: string;
  readonly buffer: ArrayBuffer;
  /** Bytes of `buffer` that the pack takes. */
  readonly bytes: number;
  readonly blobs: PackedBlob[];
  readonly entries: number[];
}

/**
 * Collects sealed blobs of one type until a pack is full (restic design, "Pack Format": version 2
 * never mixes trees and data). Blobs are compressed and encrypted right into the pack's buffer.
 */
export class Packer {
  readonly #codec: BlobCodec;
  readonly #type: BlobType;
  readonly #packSizeBytes: number;
  #buffer: Uint8Array<ArrayBuffer> | undefined;
  #bytes = 0;
  #blobs: PackedBlob[] = [];
  #entries: number[] = [];
  #spare: ArrayBuffer[] = [];

  constructor(codec: BlobCodec, type: BlobType, packSizeBytes: number) {
    this.#codec = codec;
    this.#type = type;
    this.#packSizeBytes = packSizeBytes;
  }

  get isFull(): boolean {
    return this.#bytes + packHeaderBytes(this.#blobs) >= this.#packSizeBytes;
  }

  get isEmpty(): boolean {
    return this.#blobs.length === 0;
  }

  /** Seals a blob into the pack. Returns the bytes of its box. */
  add(idBytes: Buffer, entry: number, plaintext: Uint8Array): number {
    const target = this.#room(sealedBound(plaintext.length));
    const sealed = this.#codec.seal(this.#type, idBytes, plaintext, target);
    this.#append({ type: this.#type, id: idBytes.toString("hex"), offset: 0, ...sealed }, entry);
    return sealed.length;
  }

  /** Appends the box of one blob of another open pack. */
  absorb(other: OpenPack, place: number): void {
    const blob = other.blobs[place] as PackedBlob;
    this.#room(blob.length).set(new Uint8Array(other.buffer, blob.offset, blob.length));
    this.#append(blob, other.entries[place] as number);
  }

  /** Writes header and trailer, and gives the pack away. */
  finish(): FinishedPack {
    const header = encodePackHeader(this.#blobs, this.#codec.cipher);
    this.#room(header.length).set(header);
    this.#bytes += header.length;
    const { buffer, bytes, blobs, entries } = this.take() as OpenPack;
    const id = sha256(new Uint8Array(buffer, 0, bytes)).toString("hex");
    return { id, buffer, bytes, blobs, entries };
  }

  /** Gives away what was collected, without a header; `undefined` where there is nothing. */
  take(): OpenPack | undefined {
    if (this.#buffer === undefined) return undefined;
    const { buffer } = this.#buffer;
    const open = { buffer, bytes: this.#bytes, blobs: this.#blobs, entries: this.#entries };
    this.#buffer = undefined;
    this.#bytes = 0;
    this.#blobs = [];
    this.#entries = [];
    return open;
  }

  /** Takes back the buffer of a pack that was stored: fresh memory costs page faults. */
  recycle(buffer: ArrayBuffer): void {
    if (this.#spare.length === 0 && buffer.byteLength >= this.#capacity()) this.#spare.push(buffer);
  }

  #append(blob: PackedBlob, entry: number): void {
    this.#blobs.push({ ...blob, offset: this.#bytes });
    this.#entries.push(entry);
    this.#bytes += blob.length;
  }

  /** The free part of the buffer, at least `bytes` long. */
  #room(bytes: number): Uint8Array {
    this.#buffer ??= new Uint8Array(this.#spare.pop() ?? new ArrayBuffer(this.#capacity()));
    if (this.#buffer.length - this.#bytes < bytes) {
      const larger = new Uint8Array(this.#bytes + bytes + this.#packSizeBytes);
      larger.set(this.#buffer.subarray(0, this.#bytes));
      this.#buffer = larger;
    }
    return this.#buffer.subarray(this.#bytes);
  }

  /** Room for a full pack and one blob beyond; pages that are not touched cost nothing. */
  #capacity(): number {
    return this.#packSizeBytes + sealedBound(CHUNK_MAX_BYTES);
  }
}
