import {
  PACE_SLICE_MAX_BYTES,
  PACE_SLICE_MIN_BYTES,
  PACE_SLICE_MS,
  type Clock,
  type TransferPace,
} from "@comeback/core";

/**
 * So many bytes a second, for all transfers together. Each is let through in slices, in the order
 * of asking, so that the small file that keeps a lock alive does not wait for all the packs before
 * it. Unused time is not saved up beyond one slice.
 */
export class RateLimit {
  readonly #bytesPerMs: number;
  readonly #sliceBytes: number;
  readonly #clock: Clock;
  /** When everything let through so far has taken its time at the rate. */
  #busyUntilMs = Number.NEGATIVE_INFINITY;
  #seenMs = Number.NEGATIVE_INFINITY;

  constructor(bytesPerSecond: number, clock: Clock) {
    this.#bytesPerMs = bytesPerSecond / 1000;
    const wanted = Math.round(this.#bytesPerMs * PACE_SLICE_MS);
    this.#sliceBytes = Math.min(Math.max(wanted, PACE_SLICE_MIN_BYTES), PACE_SLICE_MAX_BYTES);
    this.#clock = clock;
  }

  readonly pass: TransferPace = async (bytes, signal) => {
    for (let left = bytes; left > 0; left -= this.#sliceBytes) {
      signal?.throwIfAborted();
      const waitMs = this.#take(Math.min(left, this.#sliceBytes));
      if (waitMs > 0) await this.#clock.sleep(waitMs, signal);
    }
  };

  /** Enters a slice, and says how long it has to wait. */
  #take(bytes: number): number {
    const nowMs = this.#clock.now();
    // A clock that was set back must not stop everything until it is there again.
    if (nowMs < this.#seenMs) this.#busyUntilMs -= this.#seenMs - nowMs;
    this.#seenMs = nowMs;
    this.#busyUntilMs =
      Math.max(this.#busyUntilMs, nowMs - PACE_SLICE_MS) + bytes / this.#bytesPerMs;
    return this.#busyUntilMs - nowMs;
  }
}
