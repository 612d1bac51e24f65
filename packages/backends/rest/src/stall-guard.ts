import type { Clock } from "@comeback/core";
import {
  REST_CALL_MS,
  REST_CONNECT_MS,
  REST_IDLE_MS,
  REST_SLOWEST_BYTES_PER_SECOND,
} from "@comeback/core";

/** How long a call may wait for what. */
export interface CallLimits {
  readonly connectMs: number;
  readonly idleMs: number;
  readonly callMs: number;
}

export const CALL_LIMITS: CallLimits = {
  connectMs: REST_CONNECT_MS,
  idleMs: REST_IDLE_MS,
  callMs: REST_CALL_MS,
};

/** For a call that is held to a rate: it may take any time, as long as bytes move. */
export function unhurried(limits: CallLimits): CallLimits {
  return { ...limits, callMs: Number.POSITIVE_INFINITY };
}

/** What a call is cut with when it has stalled. */
export class Stalled extends Error {
  readonly isConnected: boolean;

  constructor(isConnected: boolean, message: string) {
    super(message);
    this.isConnected = isConnected;
  }
}

/** Ends a call that stalls: before it is connected, between two bytes, or by trickling for ever. */
export class StallGuard implements Disposable {
  readonly signal: AbortSignal;
  readonly #clock: Clock;
  readonly #limits: CallLimits;
  readonly #cut = new AbortController();
  readonly #done = new AbortController();
  #isConnected = false;
  #lastMs: number;
  #endMs: number;
  #pausedMs: number | undefined;

  /** `signal` cuts the call too. */
  constructor(options: {
    readonly clock: Clock;
    readonly limits: CallLimits;
    readonly sizeBytes: number;
    readonly signal?: AbortSignal | undefined;
  }) {
    const { clock, limits, sizeBytes, signal } = options;
    this.#clock = clock;
    this.#limits = limits;
    this.signal =
      signal === undefined ? this.#cut.signal : AbortSignal.any([this.#cut.signal, signal]);
    this.#lastMs = clock.now();
    this.#endMs = this.#lastMs + limits.callMs;
    this.expect(sizeBytes);
    void this.#watch();
  }

  /** More bytes are to come than was known. */
  expect(sizeBytes: number): void {
    this.#endMs += (sizeBytes / REST_SLOWEST_BYTES_PER_SECOND) * 1000;
  }

  readonly progress: () => void = () => {
    this.#isConnected = true;
    this.#lastMs = this.#clock.now();
  };

  /** The caller does something else meanwhile: that is not the server's time. */
  pause(): void {
    this.#pausedMs = this.#clock.now();
  }

  resume(): void {
    const now = this.#clock.now();
    this.#endMs += now - (this.#pausedMs ?? now);
    this.#pausedMs = undefined;
    this.#lastMs = now;
  }

  /** What is left to do has to be done soon. */
  endWithin(limitMs: number): void {
    const late = new Stalled(true, `it was not done ${limitMs / 1000} s after it was broken off`);
    void this.#clock.sleep(limitMs, this.#done.signal).then(
      () => this.#cut.abort(late),
      () => undefined,
    );
  }

  [Symbol.dispose](): void {
    this.#done.abort();
  }

  async #watch(): Promise<void> {
    try {
      while (!this.#done.signal.aborted) {
        const { connectMs, idleMs } = this.#limits;
        const waitMs = this.#isConnected ? idleMs : connectMs;
        const now = this.#clock.now();
        if (this.#pausedMs === undefined) {
          if (now >= this.#endMs) return this.#cut.abort(this.#tooLong());
          if (now >= this.#lastMs + waitMs) return this.#cut.abort(this.#stalled(waitMs));
        }
        const restMs = Math.min(this.#endMs, this.#lastMs + waitMs) - now;
        const turnMs = this.#pausedMs === undefined ? restMs : waitMs;
        await this.#clock.sleep(turnMs, this.#done.signal);
      }
    } catch {
      // Disposed.
    }
  }

  #stalled(waitMs: number): Stalled {
    const what = this.#isConnected ? "no byte moved" : "no connection was made";
    return new Stalled(this.#isConnected, `${what} for ${waitMs / 1000} s`);
  }

  #tooLong(): Stalled {
    return new Stalled(this.#isConnected, "the call trickled along and was given up");
  }
}
