import { ComebackError } from "@comeback/core";
import { formatSpan } from "./format-span.ts";
import type { RunServices } from "./run-services.ts";

/** Ends a run whose time is over, as an abort does; but the run still reports, and to everybody. */
export class TimeLimit implements Disposable {
  readonly #timer = new AbortController();
  readonly #stop = new AbortController();
  readonly signal: AbortSignal;

  constructor(timeoutMs: number | undefined, services: Pick<RunServices, "clock" | "signal">) {
    const { clock, signal } = services;
    this.signal = AbortSignal.any([signal, this.#stop.signal]);
    if (timeoutMs === undefined) return;
    clock.sleep(timeoutMs, this.#timer.signal).then(
      () => this.#stop.abort(timedOut(timeoutMs)),
      () => undefined,
    );
  }

  [Symbol.dispose](): void {
    this.#timer.abort();
  }
}

function timedOut(timeoutMs: number): ComebackError {
  return new ComebackError("run.timeout", "the run took longer than it may", {
    why: `its time limit is ${formatSpan(timeoutMs)}`,
    next: "look at its stages for what took so long, or raise the plan's `timeout`",
  });
}
