import { remainder } from "../../src/chunker/polynomial.ts";
import type { ChunkSizes } from "../../src/chunker/chunker.ts";

const WINDOW_BYTES = 64;

/**
 * The chunker as restic's design document describes it, step by step and slow: a window of 64
 * bytes that begins as zeros behind a one, slid over all bytes but the first ones of each chunk.
 */
class ReferenceWindow {
  readonly #polynomial: bigint;
  readonly #bytes = new Uint8Array(WINDOW_BYTES);
  readonly #shares: readonly bigint[];
  #position = 0;
  digest = 0n;

  constructor(polynomial: bigint, shares: readonly bigint[]) {
    this.#polynomial = polynomial;
    this.#shares = shares;
    this.slide(1);
  }

  slide(byte: number): void {
    const leaving = this.#bytes[this.#position]!;
    this.#bytes[this.#position] = byte;
    this.#position = (this.#position + 1) % WINDOW_BYTES;
    const without = this.digest ^ this.#shares[leaving]!;
    this.digest = remainder((without << 8n) | BigInt(byte), this.#polynomial);
  }
}

/** The lengths of all chunks of `data`. */
export function referenceChunks(polynomial: bigint, data: Uint8Array, sizes: ChunkSizes): number[] {
  // What a byte contributes once 63 more have come in behind it.
  const shares = Array.from({ length: 256 }, (_, byte) =>
    remainder(BigInt(byte) << BigInt(8 * (WINDOW_BYTES - 1)), polynomial),
  );
  const mask = (1n << BigInt(sizes.averageBits)) - 1n;
  const lengths: number[] = [];
  for (let start = 0; start < data.length; start += lengths.at(-1)!) {
    const window = new ReferenceWindow(polynomial, shares);
    let length = Math.min(sizes.minBytes - WINDOW_BYTES, data.length - start);
    while (start + length < data.length) {
      window.slide(data[start + length]!);
      length += 1;
      const isCut = length >= sizes.minBytes && (window.digest & mask) === 0n;
      if (isCut || length >= sizes.maxBytes) break;
    }
    lengths.push(length);
  }
  return lengths;
}
