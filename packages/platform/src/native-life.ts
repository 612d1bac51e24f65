/**
 * Whether memory of a native library is still ours. What is used after it was freed ends the
 * process or worse, without a word; this ends it with an error.
 */
export class NativeLife {
  readonly #what: string;
  #isOpen = true;

  constructor(what: string) {
    this.#what = what;
  }

  assertOpen(): void {
    if (!this.#isOpen) throw new Error(`${this.#what} was used after it was disposed`);
  }

  /** True the first time: then it is to be freed. */
  end(): boolean {
    const wasOpen = this.#isOpen;
    this.#isOpen = false;
    return wasOpen;
  }
}
