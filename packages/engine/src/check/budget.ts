/** An amount (of calls, of bytes) that several users share; who comes first is served first. */
export class Budget {
  readonly #capacity: number;
  readonly #waiting: { readonly amount: number; readonly resolve: () => void }[] = [];
  #taken = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Runs `work` once its amount is free. One that is larger than everything goes alone. */
  async use<T>(amount: number, work: () => Promise<T>): Promise<T> {
    if (this.#waiting.length > 0 || !this.#fits(amount)) {
      await new Promise<void>((resolve) => this.#waiting.push({ amount, resolve }));
    } else {
      this.#taken += amount;
    }
    try {
      return await work();
    } finally {
      this.#taken -= amount;
      this.#serve();
    }
  }

  #fits(amount: number): boolean {
    return this.#taken === 0 || this.#taken + amount <= this.#capacity;
  }

  #serve(): void {
    for (let next = this.#waiting[0]; next && this.#fits(next.amount); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#taken += next.amount;
      next.resolve();
    }
  }
}
