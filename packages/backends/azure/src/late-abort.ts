import { AZURE_ABORT_ANSWER_MAX_MS } from "@comeback/core";

/**
 * A signal for a call that changes something. It follows the caller's at once as long as the call
 * cannot have had any effect; from `commit` on only after the time that is left for an answer.
 */
export class LateAbort implements Disposable {
  readonly #outer: AbortSignal | undefined;
  readonly #answerMaxMs: number;
  readonly #inner = new AbortController();
  #isCommitted = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    signal: AbortSignal | undefined,
    answerMaxMs: number | undefined = AZURE_ABORT_ANSWER_MAX_MS,
  ) {
    this.#outer = signal;
    this.#answerMaxMs = answerMaxMs;
    signal?.addEventListener("abort", this.#follow);
  }

  get signal(): AbortSignal {
    return this.#inner.signal;
  }

  /** From here on the service may have all of it. */
  commit(): void {
    this.#isCommitted = true;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.#follow);
  }

  readonly #follow = (): void => {
    if (!this.#isCommitted) this.#inner.abort();
    else this.#timer = setTimeout(() => this.#inner.abort(), this.#answerMaxMs);
  };
}
