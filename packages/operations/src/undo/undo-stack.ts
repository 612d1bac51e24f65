import { assert, type Clock, ComebackError, type JournalValue } from "@comeback/core";
import { markOf, withMark } from "./marked-commands.ts";
import { UndoJournal } from "./undo-journal.ts";
import type { UndoExecutor } from "./undo-executor.ts";
import type { UndoStep } from "./undo-step.ts";
import {
  isClean,
  type UndoContext,
  undoIncomplete,
  type UndoReport,
  undoSteps,
} from "./undo-steps.ts";
import { type WatchdogCommand, WatchdogProcess } from "./watchdog-process.ts";

export interface UndoStackOptions {
  readonly stateFolder: string;
  /** Letters, digits, `.`, `_`, `-`: it becomes a file's name. */
  readonly runId: string;
  readonly plan: string;
  readonly executor: UndoExecutor;
  readonly clock: Clock;
  /** How a watchdog is started; without one, what a killed run leaves is undone at the next start. */
  readonly watchdog?: WatchdogCommand | undefined;
  /** What another process needs to undo in the run's place (the configuration's path). No secret. */
  readonly settings?: JournalValue;
}

export interface StepRequest {
  readonly step: UndoStep;
  /** For people, of what is done: "maintenance mode of shop". */
  readonly description: string;
  /** Milliseconds since the Unix epoch: then it is undone, whatever the run is doing. */
  readonly deadlineMs?: number | undefined;
}

/** Something that was done, and can be undone by itself. */
export interface UndoHandle<T = unknown> {
  readonly id: number;
  readonly description: string;
  /** What doing it resolved to. */
  readonly value: T;
}

/**
 * What a run has done to the world and must take back. Every step is in the journal, on the disk,
 * before it is done; it is undone by `undo`, `undoAll` or the end of the stack, by the watchdog where
 * the run dies or a deadline passes, and otherwise by `undoLeftOver` at the next start.
 */
export class UndoStack implements AsyncDisposable {
  readonly #options: UndoStackOptions;
  readonly #journal: UndoJournal;
  readonly #watchdog: WatchdogProcess | undefined;
  readonly #overrun = new AbortController();
  readonly #underWay = new Set<Promise<unknown>>();
  #nextId = 1;
  #isDisposed = false;

  private constructor(options: UndoStackOptions, journal: UndoJournal) {
    this.#options = options;
    this.#journal = journal;
    const { watchdog, clock } = options;
    if (watchdog !== undefined) {
      const argv = [...watchdog.argv, "--journal", journal.path] as const;
      const onOverrun = (): void => this.#overrun.abort(overrun());
      this.#watchdog = new WatchdogProcess({ ...watchdog, argv }, { clock, onOverrun });
    }
  }

  /** Makes the run's journal. Rejects where there is one of that name. */
  static async open(options: UndoStackOptions): Promise<UndoStack> {
    const { stateFolder, runId, plan, clock, settings = null } = options;
    const header = {
      type: "run",
      version: 1,
      runId,
      plan,
      processId: process.pid,
      startedAtMs: clock.now(),
      settings,
    } as const;
    return new UndoStack(options, await UndoJournal.create(stateFolder, header, clock));
  }

  /** Aborts with `undo.overrun` once a deadline has passed and the watchdog has begun to undo. */
  get overrun(): AbortSignal {
    return this.#overrun.signal;
  }

  /** Of the watchdog, once it runs. */
  get watchdogProcessId(): number | undefined {
    return this.#watchdog?.processId;
  }

  /**
   * Writes to the journal how it is undone, makes sure that the watchdog knows, and does it. Where
   * that fails it is undone at once, half done as it may be, and the failure goes on.
   */
  async perform<T>(request: StepRequest, doIt: () => Promise<T>): Promise<UndoHandle<T>> {
    const work = this.#perform(request, doIt);
    this.#underWay.add(work);
    try {
      return await work;
    } finally {
      this.#underWay.delete(work);
    }
  }

  /** Undoes one thing; nothing where it is undone already. Rejects where it fails. */
  async undo({ id }: { readonly id: number }): Promise<void> {
    const report = await this.#undo({ selects: (step) => step.id === id });
    if (report !== undefined && report.failed.length > 0) throw undoIncomplete(report);
  }

  /**
   * Undoes everything, newest first, once nothing is under way any more; goes on where one thing
   * fails, and tells. What failed stays in the journal.
   */
  async undoAll(): Promise<UndoReport | undefined> {
    await Promise.allSettled(this.#underWay);
    return this.#undo({});
  }

  /** Undoes everything, and rejects where something could not be undone. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    try {
      await Promise.allSettled(this.#underWay);
      const { clock, executor } = this.#options;
      const context = { clock, executor, by: "run" } as const;
      const report = await this.#journal.locked((journal) => undoSteps(journal, context));
      if (report !== undefined && !isClean(report)) throw undoIncomplete(report);
    } finally {
      // The watchdog goes with the journal; where something is left, it goes on trying for a while.
      await this.#journal[Symbol.asyncDispose]();
      this.#watchdog?.[Symbol.dispose]();
    }
  }

  async #perform<T>(request: StepRequest, doIt: () => Promise<T>): Promise<UndoHandle<T>> {
    assert(!this.#isDisposed, "the stack is not at its end");
    const { step, description, deadlineMs } = request;
    const { clock, runId } = this.#options;
    if (deadlineMs !== undefined && deadlineMs <= clock.now()) throw overrun();
    const id = this.#nextId++;
    const record = { type: "step", id, step, description, deadlineMs, atMs: clock.now() } as const;
    await this.#inJournal((journal) => journal.append(record, { isDurable: true }));
    let value: T;
    try {
      await this.#watchdog?.know(id);
      value = await withMark(markOf(runId, id), doIt);
    } catch (error) {
      // What cannot be undone now is tried again by `undoAll`, which tells.
      await this.#undo({ selects: (state) => state.id === id }).catch(() => undefined);
      throw error;
    }
    const isOverrun = await this.#inJournal(async (journal) => {
      const state = (await journal.read()).steps.find((known) => known.id === id);
      if (state?.isOverrun === true) return true;
      await journal.append({ type: "done", id });
      return false;
    });
    if (isOverrun) {
      // The watchdog undid it while it was being done: what came after that is still there.
      await this.#undo({ selects: (state) => state.id === id });
      throw overrun();
    }
    return { id, description, value };
  }

  async #undo(options: {
    selects?(step: { readonly id: number }): boolean;
  }): Promise<UndoReport | undefined> {
    const { clock, executor } = this.#options;
    const context: UndoContext = { clock, executor, by: "run" };
    return this.#journal.locked((journal) =>
      undoSteps(journal, context, { ...options, keepsJournal: true }),
    );
  }

  async #inJournal<T>(work: Parameters<typeof UndoJournal.prototype.locked<T>>[0]): Promise<T> {
    let result: { readonly value: T } | undefined;
    await this.#journal.locked(async (journal) => {
      result = { value: await work(journal) };
    });
    if (result !== undefined) return result.value;
    throw new ComebackError("undo.incomplete", `the journal ${this.#journal.path} has gone`, {
      why: "someone removed it while the run was at work",
      next: "leave the state folder alone while runs are going on; run the plan again",
    });
  }
}

function overrun(): ComebackError {
  return new ComebackError("undo.overrun", "the time that was set for it has passed", {
    why: "what was brought to rest had to be brought back before the work on it was done",
    next: "see what took so long, or set a longer timeout",
  });
}
