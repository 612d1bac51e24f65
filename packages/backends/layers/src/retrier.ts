import {
  isComebackError,
  isNameNotFound,
  RETRY_ATTEMPT_COUNTED_MAX_MS,
  RETRY_PAUSE_FIRST_MS,
  RETRY_PAUSE_MAX_MS,
  RETRY_TOTAL_MAX_MS,
  type Clock,
  type ComebackError,
  type Random,
} from "@comeback/core";

/** A call that failed and is about to be made again. */
export interface RetryNotice {
  /** For messages: "saving pack 0123456789". */
  readonly doing: string;
  readonly error: ComebackError;
  /** Failures of this call so far. */
  readonly failures: number;
  readonly pauseMs: number;
  /** For how long such calls may fail before they are given up. */
  readonly totalMaxMs: number;
}

/** Is told what goes on, in order to tell people. */
export interface RetryObserver {
  onRetry?(notice: RetryNotice): void;
  /** A call that had failed has worked. */
  onRecovered?(doing: string, failures: number): void;
  /** A call that had failed will not be made again. */
  onGivenUp?(doing: string, failures: number): void;
}

export interface RetryOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** A call is given up when it has failed for so long; default `RETRY_TOTAL_MAX_MS`. */
  readonly totalMaxMs?: number;
  /**
   * The store was reached before. A host's name that is not known any more is then no wrong one: it
   * is the name server that is gone, as after a laptop has changed its network.
   */
  readonly wasReached?: boolean;
  /** Once it aborts each call is made only once: whoever wants to end does not wait for a network. */
  readonly stop?: AbortSignal | undefined;
  readonly observer?: RetryObserver | undefined;
}

/**
 * Says of failed calls whether and when they are made again: after pauses that double and differ
 * by chance, so that several clients do not come back all at once; not where the failure is final.
 *
 * Once a call was given up for lack of time, the store counts as gone: until some call works again
 * each is made only once. Whoever then wants to take a lock away, say, is not kept waiting anew.
 */
export class Retrier {
  readonly options: RetryOptions;
  isStoreGone = false;

  constructor(options: RetryOptions) {
    this.options = options;
  }

  async run<T>(doing: string, signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> {
    const series = new RetrySeries(this, doing, signal);
    for (;;) {
      series.attempt();
      try {
        const result = await call();
        series.succeeded();
        return result;
      } catch (error) {
        await series.failed(error);
      }
    }
  }
}

/** The attempts of one call. */
export class RetrySeries {
  readonly #retrier: Retrier;
  readonly #doing: string;
  readonly #signal: AbortSignal | undefined;
  #failures = 0;
  #spentMs = 0;
  #attemptedMs = 0;
  #pauseMs = RETRY_PAUSE_FIRST_MS;

  constructor(retrier: Retrier, doing: string, signal: AbortSignal | undefined) {
    this.#retrier = retrier;
    this.#doing = doing;
    this.#signal = signal;
  }

  attempt(): void {
    this.#attemptedMs = this.#retrier.options.clock.now();
  }

  /** A part of the work is done for good: time and pauses begin anew. */
  progressed(): void {
    this.#spentMs = 0;
    this.#pauseMs = RETRY_PAUSE_FIRST_MS;
    this.#retrier.isStoreGone = false;
  }

  succeeded(): void {
    this.#retrier.isStoreGone = false;
    if (this.#failures > 0) {
      this.#retrier.options.observer?.onRecovered?.(this.#doing, this.#failures);
    }
  }

  /** Waits for the next attempt, or throws where there is to be none. */
  async failed(error: unknown): Promise<void> {
    const { clock, stop, observer, totalMaxMs = RETRY_TOTAL_MAX_MS } = this.#retrier.options;
    if (
      this.#signal?.aborted ||
      !this.#mayPass(error) ||
      stop?.aborted ||
      this.#retrier.isStoreGone
    ) {
      throw this.#end(error);
    }
    // Only so much of an attempt counts: a laptop that slept, or a clock that was set, is no outage.
    const attemptMs = clock.now() - this.#attemptedMs;
    this.#spentMs += Math.min(Math.max(attemptMs, 0), RETRY_ATTEMPT_COUNTED_MAX_MS);
    const pauseMs = this.#nextPauseMs(error, totalMaxMs - this.#spentMs);
    this.#spentMs += pauseMs;
    if (this.#spentMs > totalMaxMs) {
      this.#retrier.isStoreGone = true;
      throw this.#end(error);
    }
    this.#failures++;
    const [doing, failures] = [this.#doing, this.#failures];
    observer?.onRetry?.({ doing, error, failures, pauseMs, totalMaxMs });
    const signals = [this.#signal, stop].filter((signal) => signal !== undefined);
    try {
      await clock.sleep(pauseMs, signals.length === 0 ? undefined : AbortSignal.any(signals));
    } catch {
      throw this.#end(error);
    }
  }

  #mayPass(error: unknown): error is ComebackError {
    if (this.#retrier.options.wasReached === true && isNameNotFound(error)) return true;
    return isComebackError(error) && error.retryable;
  }

  #end(error: unknown): unknown {
    if (this.#failures > 0) {
      this.#retrier.options.observer?.onGivenUp?.(this.#doing, this.#failures);
    }
    return this.#signal?.aborted ? this.#signal.reason : error;
  }

  /**
   * Half to one and a half times the plain pause; longer where the store itself asks for it. Where
   * that is more than the time that is left, the last attempt is made at the end of it.
   */
  #nextPauseMs(error: ComebackError, leftMs: number): number {
    const [low = 0, high = 0] = this.#retrier.options.random.fill(new Uint8Array(2));
    const pauseMs = Math.round(this.#pauseMs * (0.5 + (low + high * 256) / 65_536));
    this.#pauseMs = Math.min(this.#pauseMs * 2, RETRY_PAUSE_MAX_MS);
    const asked = error.context["retryAfterMs"];
    if (typeof asked !== "number" || !(asked > pauseMs)) return pauseMs;
    return Math.max(Math.min(asked, leftMs), pauseMs);
  }
}
