import { hash, timingSafeEqual } from "node:crypto";
import type { Random } from "@comeback/core";
import { assert, damaged, TREE_BLOB_MAX_BYTES } from "@comeback/core";
import { compressBound, createZstd, sha256Into, type Zstd } from "@comeback/platform";
import { BOX_IV_BYTES, BOX_OVERHEAD_BYTES, BoxCipher } from "./box.ts";
import type { MasterKey } from "./master-key.ts";

/** The words of restic's `--compression`. */
export type CompressionMode = "auto" | "off" | "fastest" | "better" | "max";

export const COMPRESSION_MODES: readonly CompressionMode[] = [
  "auto",
  "off",
  "fastest",
  "better",
  "max",
];

/** zstd levels whose sizes are at or below those of restic's levels of the same name. */
const ZSTD_LEVELS: Readonly<Record<CompressionMode, number>> = {
  auto: 3,
  off: 3,
  fastest: 1,
  better: 7,
  max: 12,
};

export interface BlobCodecOptions {
  readonly key: MasterKey;
  readonly random: Random;
  readonly compression: CompressionMode;
  /** Repository format: version 1 knows no compression. */
  readonly version: 1 | 2;
  /** Open, decompress and hash every blob again right after it was sealed. */
  readonly verify: boolean;
}

export interface SealedBlob {
  /** Bytes of the box. */
  readonly length: number;
  /** Bytes of the plaintext where it was compressed, else 0 (as in pack headers and index). */
  readonly uncompressedLength: number;
}

/** SHA-256 of `bytes`. */
export function sha256(bytes: Uint8Array): Buffer {
  return hash("sha256", bytes, "buffer");
}

/** Room that sealing `length` bytes of plaintext may need. */
export function sealedBound(length: number): number {
  return compressBound(length) + BOX_OVERHEAD_BYTES;
}

/** Plaintext blobs to boxes and back: compress and seal, open and decompress, verify. One a thread. */
export class BlobCodec implements Disposable {
  readonly cipher: BoxCipher;
  readonly zstd: Zstd;
  readonly #options: BlobCodecOptions;
  readonly #hash = new Uint8Array(32);
  #opened: Uint8Array<ArrayBuffer> = new Uint8Array(64 * 1024);
  #restored: Uint8Array<ArrayBuffer> = new Uint8Array(64 * 1024);

  constructor(options: BlobCodecOptions) {
    this.#options = options;
    this.cipher = new BoxCipher(options.key, options.random);
    this.zstd = createZstd({ level: ZSTD_LEVELS[options.compression] });
  }

  /**
   * Seals `plaintext` into the start of `target` (at least `sealedBound` long). With `off` trees
   * are compressed all the same; empty blobs never are: both as restic does.
   */
  seal(
    type: "data" | "tree",
    id: Uint8Array,
    plaintext: Uint8Array,
    target: Uint8Array,
  ): SealedBlob {
    const { version, compression, verify } = this.#options;
    const compress =
      version === 2 && plaintext.length > 0 && (compression !== "off" || type === "tree");
    let content = plaintext;
    if (compress) {
      const room = target.subarray(BOX_IV_BYTES);
      const written = this.zstd.compress(plaintext, room);
      assert(written > 0, "zstd could not compress a blob");
      content = room.subarray(0, written);
    }
    const length = this.cipher.sealInto(content, target);
    const sealed = { length, uncompressedLength: compress ? plaintext.length : 0 };
    if (verify) {
      const restored = this.#restore(target.subarray(0, length), sealed.uncompressedLength);
      if (restored === undefined || !this.#isHashOf(id, restored)) {
        throw damaged(
          "a blob that was about to be stored",
          "it does not decrypt to what was read: this machine's memory or processor is failing",
        );
      }
    }
    return sealed;
  }

  /**
   * The plaintext of `box`, checked against `id`, or `undefined` where anything does not hold.
   * The result is only valid until the next call.
   */
  open(
    id: Uint8Array,
    box: Uint8Array,
    uncompressedLength: number,
  ): Uint8Array<ArrayBuffer> | undefined {
    const plaintext = this.#restore(box, uncompressedLength);
    if (plaintext === undefined || !this.#isHashOf(id, plaintext)) return undefined;
    return plaintext;
  }

  /**
   * Seals what is in a box of another key into the start of `target` (as long as the box), compressed
   * as it is. What was sealed is opened and hashed: `undefined` where the blob does not hold.
   */
  reseal(
    id: Uint8Array,
    box: Uint8Array,
    options: {
      readonly from: BoxCipher;
      readonly uncompressedLength: number;
      readonly target: Uint8Array;
    },
  ): SealedBlob | undefined {
    const { from, uncompressedLength, target } = options;
    const room = target.subarray(BOX_IV_BYTES);
    const opened = from.openInto(box, room);
    if (opened < 0) return undefined;
    const length = this.cipher.sealInto(room.subarray(0, opened), target);
    const holds = this.open(id, target.subarray(0, length), uncompressedLength) !== undefined;
    return holds ? { length, uncompressedLength } : undefined;
  }

  [Symbol.dispose](): void {
    this.cipher[Symbol.dispose]();
    this.zstd[Symbol.dispose]();
  }

  #isHashOf(id: Uint8Array, plaintext: Uint8Array): boolean {
    sha256Into(plaintext, this.#hash);
    return timingSafeEqual(this.#hash, id);
  }

  #restore(box: Uint8Array, uncompressedLength: number): Uint8Array<ArrayBuffer> | undefined {
    if (Math.max(uncompressedLength, box.length) > TREE_BLOB_MAX_BYTES) return undefined;
    if (this.#opened.length < box.length) this.#opened = grown(box.length);
    const length = this.cipher.openInto(box, this.#opened);
    if (length < 0) return undefined;
    if (uncompressedLength === 0) return this.#opened.subarray(0, length);
    if (this.#restored.length < uncompressedLength) this.#restored = grown(uncompressedLength);
    const target = this.#restored.subarray(0, uncompressedLength);
    const written = this.zstd.decompress(this.#opened.subarray(0, length), target);
    return written === uncompressedLength ? target : undefined;
  }
}

/** A buffer of at least `length`, rounded up so that slowly growing blobs do not reallocate. */
function grown(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Math.max(1 << 20, 2 ** Math.ceil(Math.log2(length))));
}
