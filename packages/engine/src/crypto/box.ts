import { timingSafeEqual } from "node:crypto";
import type { Random } from "@comeback/core";
import { assert } from "@comeback/core";
import { type AesCtr, createAesCtr, createPoly1305Aes, type Poly1305Aes } from "@comeback/platform";
import type { MasterKey } from "./master-key.ts";

/** IV in front, MAC behind (restic design, "Keys, Encryption and MAC"). */
export const BOX_IV_BYTES = 16;
export const BOX_MAC_BYTES = 16;
export const BOX_OVERHEAD_BYTES: number = BOX_IV_BYTES + BOX_MAC_BYTES;

/** IVs are drawn in batches of this many: one call of the random source costs more than an IV. */
const IV_BATCH = 1024;

/**
 * Seals and opens boxes: `IV ‖ AES-256-CTR(plaintext) ‖ MAC`, where the MAC is Poly1305 over the
 * ciphertext with the one-time key `r ‖ AES-128_k(IV)`.
 */
export class BoxCipher implements Disposable {
  readonly #ctr: AesCtr;
  readonly #mac: Poly1305Aes;
  readonly #random: Random;
  readonly #ivs = new Uint8Array(IV_BATCH * BOX_IV_BYTES);
  #nextIv = IV_BATCH;

  constructor(key: MasterKey, random: Random) {
    this.#ctr = createAesCtr(key.encrypt);
    this.#mac = createPoly1305Aes(key.macK, key.macR);
    this.#random = random;
  }

  /**
   * Seals `plaintext` into the start of `target`, and returns the box's length. `plaintext` may
   * already stand at its place in `target` (behind the IV): it is then encrypted where it is.
   */
  sealInto(plaintext: Uint8Array, target: Uint8Array): number {
    const length = plaintext.length + BOX_OVERHEAD_BYTES;
    assert(target.length >= length, "the target of a box is too small");
    const iv = this.#drawIv();
    const ciphertext = target.subarray(BOX_IV_BYTES, BOX_IV_BYTES + plaintext.length);
    this.#ctr.apply(iv, plaintext, ciphertext);
    target.set(iv, 0);
    target.set(this.#mac.authenticate(iv, ciphertext), BOX_IV_BYTES + plaintext.length);
    return length;
  }

  seal(plaintext: Uint8Array): Uint8Array<ArrayBuffer> {
    const box = new Uint8Array(plaintext.length + BOX_OVERHEAD_BYTES);
    this.sealInto(plaintext, box);
    return box;
  }

  /**
   * Opens `box` into the start of `target` and returns the plaintext's length, or -1 where the box
   * is too short, its IV is zero, its MAC does not hold, or it does not fit.
   */
  openInto(box: Uint8Array, target: Uint8Array): number {
    const length = box.length - BOX_OVERHEAD_BYTES;
    if (length < 0 || target.length < length) return -1;
    const iv = box.subarray(0, BOX_IV_BYTES);
    if (isZero(iv)) return -1;
    const ciphertext = box.subarray(BOX_IV_BYTES, BOX_IV_BYTES + length);
    const mac = this.#mac.authenticate(iv, ciphertext);
    if (!timingSafeEqual(mac, box.subarray(BOX_IV_BYTES + length))) return -1;
    this.#ctr.apply(iv, ciphertext, target.length === length ? target : target.subarray(0, length));
    return length;
  }

  /** The plaintext of `box`, or `undefined` where it does not hold. */
  open(box: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
    if (box.length < BOX_OVERHEAD_BYTES) return undefined;
    const plaintext = new Uint8Array(box.length - BOX_OVERHEAD_BYTES);
    return this.openInto(box, plaintext) < 0 ? undefined : plaintext;
  }

  [Symbol.dispose](): void {
    this.#ctr[Symbol.dispose]();
    this.#mac[Symbol.dispose]();
  }

  #drawIv(): Uint8Array {
    for (;;) {
      if (this.#nextIv === IV_BATCH) {
        this.#random.fill(this.#ivs);
        this.#nextIv = 0;
      }
      const start = this.#nextIv++ * BOX_IV_BYTES;
      const iv = this.#ivs.subarray(start, start + BOX_IV_BYTES);
      // restic refuses an all-zero IV: it would be the sign of a broken random source.
      if (!isZero(iv)) return iv;
    }
  }
}

function isZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}
