import type { Clock } from "@comeback/core";

interface Sleeper {
  readonly wakeAtMs: number;
  wake(): void;
}

/** Time that only a test moves. */
export class SimulatedClock implements Clock {
  #nowMs: number;
  readonly #sleepers: Set<Sleeper> = new Set();

  constructor(startMs: number = Date.UTC(2026, 0, 2, 3, 4, 5, 678)) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  /** Sleeps that nobody has woken yet. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  /** When the next sleep ends. */
  get nextWakeAtMs(): number | undefined {
    if (this.#sleepers.size === 0) return undefined;
    return Math.min(...[...this.#sleepers].map(({ wakeAtMs }) => wakeAtMs));
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const onAbort = (): void => {
        this.#sleepers.delete(sleeper);
        // The reason is the caller's own, whatever it is.
        reject(signal?.reason);
      };
      const sleeper: Sleeper = {
        wakeAtMs: this.#nowMs + Math.max(delayMs, 0),
        wake: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#sleepers.add(sleeper);
    });
  }

  /**
   * Moves time on, waking sleepers in the order of their times; what they do then, further sleeps
   * included, happens at its own moment.
   */
  async advance(byMs: number): Promise<void> {
    const endMs = this.#nowMs + byMs;
    await settle();
    for (;;) {
      const due = [...this.#sleepers].filter(({ wakeAtMs }) => wakeAtMs <= endMs);
      const [first] = due.sort((a, b) => a.wakeAtMs - b.wakeAtMs);
      if (first === undefined) break;
      this.#sleepers.delete(first);
      this.#nowMs = Math.max(this.#nowMs, first.wakeAtMs);
      first.wake();
      await settle();
    }
    this.#nowMs = endMs;
  }
}

/** Lets everything that waits only for promises run. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
