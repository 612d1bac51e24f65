/** One bit for each entry of a blob table, in memory that all threads share. */
export class BitSet {
  readonly shared: SharedArrayBuffer;
  readonly #words: Uint32Array;

  constructor(shared: SharedArrayBuffer) {
    this.shared = shared;
    this.#words = new Uint32Array(shared);
  }

  static create(bits: number): BitSet {
    return new BitSet(new SharedArrayBuffer(Math.ceil(bits / 32) * 4));
  }

  has(bit: number): boolean {
    return ((this.#words[bit >>> 5] as number) & (1 << (bit & 31))) !== 0;
  }

  /** Sets the bit, from any thread; false where it was set already. */
  add(bit: number): boolean {
    const mask = 1 << (bit & 31);
    return (Atomics.or(this.#words, bit >>> 5, mask) & mask) === 0;
  }
}
