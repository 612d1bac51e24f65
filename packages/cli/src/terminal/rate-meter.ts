/** Seconds that a rate looks back: long enough to be calm, short enough to follow a change. */
const WINDOW_MS = 15_000;
const SAMPLE_INTERVAL_MS = 250;

/** How fast something grows lately, and how long the rest will take. */
export class RateMeter {
  readonly #samples: { readonly atMs: number; readonly value: number }[] = [];

  /** Takes note of a value that only grows. */
  add(atMs: number, value: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && atMs - last.atMs < SAMPLE_INTERVAL_MS) return;
    this.#samples.push({ atMs, value });
    while (this.#samples.length > 2 && atMs - (this.#samples[0]?.atMs ?? 0) > WINDOW_MS) {
      this.#samples.shift();
    }
  }

  /** Growth per second within the window; 0 while there is too little to say. */
  perSecond(): number {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return 0;
    return ((last.value - first.value) * 1000) / (last.atMs - first.atMs);
  }

  /** Milliseconds until `remaining` more is done; `undefined` while that cannot be told. */
  remainingMs(remaining: number): number | undefined {
    const rate = this.perSecond();
    if (remaining <= 0) return 0;
    return rate > 0 ? (remaining / rate) * 1000 : undefined;
  }
}
