import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import {
  type Clock,
  COMMAND_LAST_WORDS_MAX_BYTES,
  ComebackError,
  WATCHDOG_RESTARTS_MAX,
  WATCHDOG_START_MAX_MS,
} from "@comeback/core";
import { encodeMessage, type FromWatchdog, lineReader } from "./watchdog-messages.ts";

/** What starts a watchdog; the journal's path is added. */
export interface WatchdogCommand {
  readonly argv: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

interface Options {
  readonly clock: Clock;
  onOverrun(): void;
}

/**
 * The run's side of its watchdog: a process in a session of its own, which a signal to the run's
 * process group does not reach. It is started before the first step and again whenever it dies. It
 * notices the end of the run by the end of what connects them, which the kernel closes.
 */
export class WatchdogProcess implements Disposable {
  readonly #command: WatchdogCommand;
  readonly #options: Options;
  readonly #waiting = new Map<number, PromiseWithResolvers<void>>();
  #child: ChildProcess | undefined;
  #starts = 0;
  #isDisposed = false;
  #lastWords = "";

  constructor(command: WatchdogCommand, options: Options) {
    this.#command = command;
    this.#options = options;
  }

  get processId(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves once the watchdog, started if need be, knows of a step that is in the journal. */
  async know(id: number): Promise<void> {
    const answer = Promise.withResolvers<void>();
    answer.promise.catch(() => undefined);
    this.#waiting.set(id, answer);
    using timeout = new Timeout();
    try {
      if (this.#child === undefined) this.#start();
      else this.#tell(id);
      const { clock } = this.#options;
      const tooLate = clock.sleep(WATCHDOG_START_MAX_MS, timeout.signal).then(() => {
        throw this.#unusable(`it had not answered after ${WATCHDOG_START_MAX_MS / 1000} s`);
      });
      await Promise.race([answer.promise, tooLate]);
    } finally {
      this.#waiting.delete(id);
    }
  }

  /** It ends by itself, once it has seen that nothing is left to undo. */
  [Symbol.dispose](): void {
    this.#isDisposed = true;
    const child = this.#child;
    if (child === undefined) return;
    child.removeAllListeners("exit");
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
  }

  #start(): void {
    this.#starts++;
    const [program, ...args] = this.#command.argv;
    const child = spawn(program, args, {
      detached: true,
      env: { ...process.env, ...this.#command.env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#child = child;
    this.#lastWords = "";
    // The run does not stay alive for its sake.
    child.unref();
    for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as Socket).unref();
    // It has died: its exit is what is told.
    child.stdin.on("error", () => undefined);
    child.stdout.setEncoding("utf8").on(
      "data",
      lineReader<FromWatchdog>((message) => this.#onMessage(message)),
    );
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-COMMAND_LAST_WORDS_MAX_BYTES);
    });
    let hasEnded = false;
    const onEnd = (why: string): void => {
      if (hasEnded) return;
      hasEnded = true;
      this.#onEnd(why);
    };
    child.once("error", (error) => onEnd(error.message));
    child.once("exit", (code, signal) => onEnd(`it ended with ${signal ?? `exit code ${code}`}`));
    for (const id of this.#waiting.keys()) this.#tell(id);
  }

  #tell(id: number): void {
    this.#child?.stdin?.write(encodeMessage({ type: "know", id }));
  }

  #onMessage(message: FromWatchdog): void {
    if (message.type === "overrun") this.#options.onOverrun();
    else this.#waiting.get(message.id)?.resolve();
  }

  #onEnd(why: string): void {
    this.#child = undefined;
    if (this.#isDisposed) return;
    if (this.#starts <= WATCHDOG_RESTARTS_MAX) {
      this.#start();
      return;
    }
    const error = this.#unusable(why);
    for (const { reject } of this.#waiting.values()) reject(error);
  }

  #unusable(why: string): ComebackError {
    const words = this.#lastWords.trim().split("\n").slice(-3).join(" / ");
    return new ComebackError("undo.incomplete", "the watchdog cannot be kept running", {
      why: words === "" ? why : `${why}: ${words}`,
      next: "nothing is brought to rest without it; run its command by hand to see what it says",
    });
  }
}

class Timeout extends AbortController implements Disposable {
  [Symbol.dispose](): void {
    this.abort();
  }
}
