import { ComebackError, ExitCode } from "@comeback/core";
import type { Terminal } from "./terminal/terminal.ts";

/** Not SIGHUP: under a lock it is restic's way to ask whether we live (engine, hangups.ts). */
const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM"];

/** Where processes come from that may be asked to stop; tests hand in an emitter of their own. */
export interface SignalEmitter {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  exit(code: number): void;
}

/**
 * Ctrl-C and its kin: the first aborts the command's signal, so that everything unwinds and the
 * lock goes away; the second ends the process on the spot.
 */
export class Interrupt implements Disposable {
  readonly #controller = new AbortController();
  readonly #emitter: SignalEmitter;
  readonly #terminal: Terminal;
  readonly #listener = (signal: NodeJS.Signals): void => this.#onSignal(signal);

  constructor(terminal: Terminal, emitter: SignalEmitter = process) {
    this.#terminal = terminal;
    this.#emitter = emitter;
    for (const signal of SIGNALS) emitter.on(signal, this.#listener);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The same as a first Ctrl-C. */
  abort(why: string): void {
    this.#controller.abort(interrupted(why));
  }

  /** Something failed where nobody waited for it: everything has to stop, for this reason. */
  fail(reason: unknown): void {
    this.#controller.abort(reason);
  }

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) this.#emitter.off(signal, this.#listener);
  }

  #onSignal(signal: NodeJS.Signals): void {
    if (this.#controller.signal.aborted) {
      this.#terminal.clearStatus();
      this.#emitter.exit(ExitCode.interrupted);
      return;
    }
    this.abort(signal === "SIGINT" ? "Ctrl-C was pressed" : `the signal ${signal} came in`);
  }
}

export function interrupted(why: string): ComebackError {
  return new ComebackError("interrupted", "stopped before the end", {
    why,
    next: "run the same command again: what is already stored is not stored twice",
    exitCode: ExitCode.interrupted,
  });
}
