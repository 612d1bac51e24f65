/** A set of small numbers, one bit each. */
export class OrdinalSet {
  #bits: Uint8Array = new Uint8Array(1024);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(ordinal: number): void {
    const byte = Math.floor(ordinal / 8);
    if (byte >= this.#bits.length) {
      const larger = new Uint8Array(Math.max(byte + 1, this.#bits.length * 2));
      larger.set(this.#bits);
      this.#bits = larger;
    }
    if (this.has(ordinal)) return;
    this.#bits[byte] = (this.#bits[byte] as number) | (1 << (ordinal % 8));
    this.#size++;
  }

  has(ordinal: number): boolean {
    return (((this.#bits[Math.floor(ordinal / 8)] ?? 0) >> (ordinal % 8)) & 1) === 1;
  }
}
