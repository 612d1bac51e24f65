import type { Random } from "@comeback/core";

/** A reproducible source of numbers for tests (xoshiro128**). Never for secrets. */
export class SeededRandom implements Random {
  /** Say it in every failure message that depends on it. */
  readonly seed: number;
  readonly #state: Uint32Array = new Uint32Array(4);

  constructor(seed: number) {
    this.seed = seed;
    // splitmix32 spreads neighbouring seeds over the whole state, which must not be all zero.
    let value = seed >>> 0;
    for (let i = 0; i < 4; i++) {
      value = (value + 0x9e3779b9) >>> 0;
      let mixed = Math.imul(value ^ (value >>> 16), 0x21f0aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
      this.#state[i] = mixed ^ (mixed >>> 15);
    }
  }

  fill<T extends Uint8Array>(target: T): T {
    const words = target.byteLength >>> 2;
    const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
    for (let i = 0; i < words; i++) view.setUint32(i * 4, this.#next(), true);
    let rest = words * 4 < target.byteLength ? this.#next() : 0;
    for (let i = words * 4; i < target.byteLength; i++) {
      target[i] = rest & 0xff;
      rest >>>= 8;
    }
    return target;
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    return this.fill(new Uint8Array(length));
  }

  hex(lengthBytes: number): string {
    return Buffer.from(this.bytes(lengthBytes)).toString("hex");
  }

  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number {
    const range = max - min + 1;
    const value = (this.#next() & 0x1fffff) * 2 ** 32 + this.#next();
    return min + (value % range);
  }

  /** True in `percent` of all cases. */
  chance(percent: number): boolean {
    return this.integer(0, 9_999) < percent * 100;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.integer(0, items.length - 1)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }

  #next(): number {
    const s = this.#state;
    const result = Math.imul(rotateLeft(Math.imul(s[1]!, 5), 7), 9) >>> 0;
    const shifted = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= shifted;
    s[3] = rotateLeft(s[3]!, 11);
    return result;
  }
}

function rotateLeft(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}
