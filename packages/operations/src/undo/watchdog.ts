import type { Readable, Writable } from "node:stream";
import { type Clock, WATCHDOG_ROUND_PAUSE_MS, WATCHDOG_ROUNDS_MAX } from "@comeback/core";
import type { JournalHeader } from "./journal-lines.ts";
import type { JournalState } from "./journal-state.ts";
import { UndoJournal } from "./undo-journal.ts";
import type { UndoExecutor } from "./undo-executor.ts";
import { isClean, undoSteps } from "./undo-steps.ts";
import {
  encodeMessage,
  type FromWatchdog,
  lineReader,
  type ToWatchdog,
} from "./watchdog-messages.ts";

export interface WatchdogOptions {
  readonly journalPath: string;
  /** From the run; its end is the run's. */
  readonly input: Readable;
  /** To the run. */
  readonly output: Writable;
  /** What undoes in the run's place. */
  executorFor(header: JournalHeader | undefined): Promise<UndoExecutor>;
  readonly clock: Clock;
}

/**
 * Watches over one run: undoes the steps whose deadline passes, and all of them once the run has
 * ended without doing so itself. Resolves to whether nothing is left to undo.
 */
export async function runWatchdog(options: WatchdogOptions): Promise<boolean> {
  const journal = await UndoJournal.open(options.journalPath, options.clock);
  if (journal === undefined) return true;
  await using watchdog = new Watchdog(options, journal);
  return await watchdog.run();
}

class Watchdog implements AsyncDisposable {
  readonly #options: WatchdogOptions;
  readonly #journal: UndoJournal;
  readonly #timers = new AbortController();
  readonly #watched = new Set<number>();
  /** Steps whose time has come, and that were not undone yet. */
  readonly #due = new Set<number>();
  readonly #asked: number[] = [];
  #hasRunEnded = false;
  #wake: () => void = () => undefined;

  constructor(options: WatchdogOptions, journal: UndoJournal) {
    this.#options = options;
    this.#journal = journal;
    const { input, output } = options;
    const end = (): void => {
      this.#hasRunEnded = true;
      this.#wake();
    };
    input.setEncoding("utf8");
    input.on(
      "data",
      lineReader<ToWatchdog>(({ id }) => this.#onAsked(id)),
    );
    for (const event of ["end", "close", "error"]) input.once(event, end);
    // Nobody listens any more: the end of the input says so, too.
    output.on("error", () => undefined);
  }

  async run(): Promise<boolean> {
    for (;;) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      if (this.#hasRunEnded) return this.#undoAll();
      const state = await this.#journal.peek();
      if (state !== undefined) this.#watch(state);
      for (const id of this.#asked.splice(0)) this.#say({ type: "knows", id });
      if (this.#due.size > 0) await this.#undoDue();
      else await woken;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timers.abort();
    this.#options.input.destroy();
    await this.#journal[Symbol.asyncDispose]();
  }

  #onAsked(id: number): void {
    this.#asked.push(id);
    this.#wake();
  }

  #say(message: FromWatchdog): void {
    this.#options.output.write(encodeMessage(message));
  }

  /** A timer for each deadline: one that runs on, whatever is done to the machine's clock. */
  #watch({ steps }: JournalState): void {
    const { clock } = this.#options;
    for (const { id, deadlineMs, isUndone } of steps) {
      if (isUndone || deadlineMs === undefined || this.#watched.has(id)) continue;
      this.#watched.add(id);
      void clock.sleep(Math.max(0, deadlineMs - clock.now()), this.#timers.signal).then(
        () => {
          this.#due.add(id);
          this.#wake();
        },
        () => undefined,
      );
    }
  }

  async #undoDue(): Promise<void> {
    const { clock, executorFor } = this.#options;
    const ids = [...this.#due];
    const report = await this.#journal.locked(async (journal) => {
      const { header, steps } = await journal.read();
      const open = steps.filter((step) => ids.includes(step.id) && !step.isUndone);
      if (open.length === 0) return undefined;
      await journal.append(
        { type: "overrun", ids: open.map(({ id }) => id), atMs: clock.now() },
        { isDurable: true },
      );
      this.#say({ type: "overrun" });
      const context = { clock, executor: await executorFor(header), by: "watchdog" } as const;
      return undoSteps(journal, context, {
        selects: (step) => ids.includes(step.id),
        // The run undoes it once more when it has come to the end of doing it.
        staysOpen: (step) => !step.isDone,
        keepsJournal: true,
      });
    });
    for (const id of ids) this.#due.delete(id);
    if (report === undefined || report.failed.length === 0) return;
    void clock.sleep(WATCHDOG_ROUND_PAUSE_MS, this.#timers.signal).then(
      () => {
        for (const id of ids) this.#due.add(id);
        this.#wake();
      },
      () => undefined,
    );
  }

  /** The run is gone. */
  async #undoAll(): Promise<boolean> {
    const { clock, executorFor } = this.#options;
    for (let round = 1; ; round++) {
      const report = await this.#journal.locked(async (journal) => {
        const { header } = await journal.read();
        const executor = await executorFor(header);
        return undoSteps(journal, { clock, executor, by: "watchdog" });
      });
      if (report === undefined || isClean(report)) return true;
      if (report.failed.length === 0 || round === WATCHDOG_ROUNDS_MAX) return false;
      await clock.sleep(WATCHDOG_ROUND_PAUSE_MS);
    }
  }
}
