/** The outside world, handed in so that tests can replay it. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Resolves after `delayMs`; rejects with the signal's reason when it aborts. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

export interface Random {
  /** Fills `target` with bytes from a cryptographic source (a seeded one in tests). */
  fill<T extends Uint8Array>(target: T): T;
}
