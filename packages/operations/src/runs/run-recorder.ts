import {
  type CatalogStore,
  type Clock,
  ComebackError,
  isComebackError,
  type LogRecord,
  messageOf,
  RUN_LOG_BATCH_LINES,
  RUN_LOG_LINES_MAX,
  type RunOutcome,
  type RunRecord,
  type RunStage,
  type StageRecord,
} from "@comeback/core";
import { formatSpan } from "./format-span.ts";
import type { RunObserver } from "./run-services.ts";

export interface StageWish {
  readonly stage: RunStage;
  /** The source, destination or copy it is about. */
  readonly subject?: string | undefined;
  readonly retries?: { readonly count: number; readonly pause: number } | undefined;
  readonly timeoutMs?: number | undefined;
  /** Ends the stage, and not the run. */
  readonly until?: AbortSignal | undefined;
}

export type StageResult<T> =
  | { readonly ok: true; readonly value: T; readonly outcome: RunOutcome }
  | { readonly ok: false; readonly error: ComebackError };

/** What the work of a stage may say while it goes on. */
export interface ActiveStage {
  /** Aborts at the stage's time limit, too. */
  readonly signal: AbortSignal;
  log(text: string, level?: LogRecord["level"]): void;
  /** The stage ends as a warning, whatever else it does. */
  warn(text: string): void;
  /** The stage ends as skipped. */
  skip(text: string): void;
}

const RANK: Readonly<Record<RunOutcome, number>> = { ok: 0, skipped: 1, warning: 2, failed: 3 };

export function worse(a: RunOutcome, b: RunOutcome): RunOutcome {
  return RANK[a] >= RANK[b] ? a : b;
}

/** Errors that the next try would meet again. */
const PERMANENT = /^(?:option|configuration|key|command\.missing|run\.timeout|plan)/;

/**
 * Writes down what a run does, in the catalog and for whoever watches. What the catalog cannot take
 * is told once and does not end the run: losing history loses no backup.
 */
export class RunRecorder {
  readonly #catalog: CatalogStore;
  readonly #clock: Clock;
  readonly #observer: RunObserver;
  readonly #signal: AbortSignal;
  #run: RunRecord;
  #stages = 0;
  #lines = 0;
  #pending: LogRecord[] = [];
  #writing: Promise<void> = Promise.resolve();
  #catalogError: unknown;
  outcome: RunOutcome = "ok";
  message: string | undefined;
  readonly stages: StageRecord[] = [];

  constructor(options: {
    readonly run: RunRecord;
    readonly catalog: CatalogStore;
    readonly clock: Clock;
    readonly observer: RunObserver;
    readonly signal: AbortSignal;
  }) {
    this.#run = options.run;
    this.#catalog = options.catalog;
    this.#clock = options.clock;
    this.#observer = options.observer;
    this.#signal = options.signal;
  }

  get run(): RunRecord {
    return this.#run;
  }

  async begin(): Promise<void> {
    this.#observer.onRun?.(this.#run);
    await this.save(() => this.#catalog.saveRun(this.#run));
  }

  /** Runs one stage to its end. Only an abort of the whole run makes it reject. */
  async stage<T>(
    wish: StageWish,
    work: (stage: ActiveStage) => Promise<T>,
  ): Promise<StageResult<T>> {
    const sequence = this.#stages++;
    const { stage, subject } = wish;
    const base = { runId: this.#run.id, sequence, stage, subject, startedAtMs: this.#clock.now() };
    await this.#tellStage({ ...base, attempts: 1 });
    const { count = 0, pause = 0 } = wish.retries ?? {};
    for (let attempts = 1; ; attempts++) {
      const attempt = new StageAttempt((level, text) => this.log(level, text, { stage, subject }));
      try {
        const value = await this.#once(wish, attempt, work);
        const { outcome, message } = attempt;
        await this.#tellStage({
          ...base,
          endedAtMs: this.#clock.now(),
          outcome,
          attempts,
          message,
        });
        this.note(outcome, message, subject);
        return { ok: true, value, outcome };
      } catch (thrown) {
        const isAborted = this.#signal.aborted;
        const error = asError(isAborted ? this.#signal.reason : thrown);
        const isOver = isAborted || wish.until?.aborted === true;
        if (!isOver && attempts <= count && !PERMANENT.test(error.code)) {
          const pauseMs = pause * 2 ** (attempts - 1);
          const again = `tried again in ${formatSpan(pauseMs)}`;
          this.log("warning", `${textOf(error)}; ${again}`, { stage, subject });
          await this.#clock.sleep(pauseMs, this.#signal).catch(() => undefined);
          continue;
        }
        const message = textOf(error);
        this.log("error", message, { stage, subject });
        await this.#tellStage({
          ...base,
          endedAtMs: this.#clock.now(),
          outcome: "failed",
          attempts,
          message,
          errorCode: error.code,
        });
        this.note("failed", message, subject);
        if (isAborted) throw this.#signal.reason;
        return { ok: false, error };
      }
    }
  }

  async #once<T>(
    { timeoutMs, stage, until }: StageWish,
    attempt: StageAttempt,
    work: (stage: ActiveStage) => Promise<T>,
  ): Promise<T> {
    const outer = until === undefined ? this.#signal : AbortSignal.any([this.#signal, until]);
    outer.throwIfAborted();
    if (timeoutMs === undefined) return work(attempt.under(outer));
    const stop = new AbortController();
    const ended = new AbortController();
    const timer = this.#clock.sleep(timeoutMs, ended.signal).then(
      () => stop.abort(timeout(stage, timeoutMs)),
      () => undefined,
    );
    try {
      const either = AbortSignal.any([outer, stop.signal]);
      return await work(attempt.under(either));
    } catch (error) {
      throw stop.signal.aborted ? stop.signal.reason : error;
    } finally {
      ended.abort();
      await timer;
    }
  }

  /** Takes an outcome into the run's; the worst one's message is the run's. */
  note(outcome: RunOutcome, message?: string, subject?: string): void {
    if (outcome === "ok" || outcome === "skipped") return;
    if (RANK[outcome] > RANK[this.outcome]) {
      this.message = subject === undefined ? message : `${subject}: ${message ?? outcome}`;
    }
    this.outcome = worse(this.outcome, outcome);
  }

  /** The run ends as skipped, where nothing worse happens. */
  skip(message: string): void {
    if (this.outcome !== "ok") return;
    this.outcome = "skipped";
    this.message = message;
  }

  log(
    level: LogRecord["level"],
    text: string,
    where: { readonly stage?: RunStage; readonly subject?: string | undefined } = {},
  ): void {
    const sequence = this.#lines++;
    if (sequence > RUN_LOG_LINES_MAX) return;
    const isLast = sequence === RUN_LOG_LINES_MAX;
    const line: LogRecord = {
      runId: this.#run.id,
      sequence,
      atMs: this.#clock.now(),
      level: isLast ? "warning" : level,
      ...where,
      text: isLast ? "more was said than is kept; the rest is left out" : text,
    };
    this.#observer.onLog?.(line);
    this.#pending.push(line);
    if (this.#pending.length >= RUN_LOG_BATCH_LINES) void this.flush();
  }

  /** Writes what was logged. */
  async flush(): Promise<void> {
    const lines = this.#pending;
    this.#pending = [];
    if (lines.length > 0) await this.save(() => this.#catalog.appendLog(lines));
    await this.#writing;
  }

  async end(outcome: RunOutcome, message: string | undefined): Promise<RunRecord> {
    await this.flush();
    this.#run = { ...this.#run, endedAtMs: this.#clock.now(), outcome, message };
    await this.save(() => this.#catalog.saveRun(this.#run));
    this.#observer.onRun?.(this.#run);
    return this.#run;
  }

  /** Writes to the catalog, one thing after the other; what it cannot take is told once. */
  async save(write: () => Promise<unknown>): Promise<void> {
    await this.read(write);
  }

  /** Asks the catalog, after what was written before; `undefined` where it cannot say. */
  async read<T>(ask: () => Promise<T>): Promise<T | undefined> {
    const answer = this.#writing.then(ask);
    this.#writing = answer.then(
      () => undefined,
      (error: unknown) => {
        if (this.#catalogError !== undefined) return;
        this.#catalogError = error;
        const text = `the catalog cannot be used: ${textOf(error)}`;
        this.note("warning", text);
        this.log("warning", text);
      },
    );
    await this.#writing;
    return answer.catch(() => undefined);
  }

  async #tellStage(record: StageRecord): Promise<void> {
    this.stages[record.sequence] = record;
    this.#observer.onStage?.(record);
    await this.flush();
    await this.save(() => this.#catalog.saveStage(record));
  }
}

/** One try of a stage: what it said decides how it ends. */
class StageAttempt {
  readonly #log: (level: LogRecord["level"], text: string) => void;
  outcome: RunOutcome = "ok";
  message: string | undefined;

  constructor(log: (level: LogRecord["level"], text: string) => void) {
    this.#log = log;
  }

  under(signal: AbortSignal): ActiveStage {
    return {
      signal,
      log: (text, level = "info") => this.#log(level, text),
      warn: (text) => {
        this.#log("warning", text);
        if (this.outcome !== "warning") this.message = text;
        this.outcome = "warning";
      },
      skip: (text) => {
        this.#log("info", text);
        if (this.outcome !== "ok") return;
        this.outcome = "skipped";
        this.message = text;
      },
    };
  }
}

function timeout(stage: RunStage, timeoutMs: number): ComebackError {
  return new ComebackError("run.timeout", `${stage} took longer than it may`, {
    why: `its time limit is ${formatSpan(timeoutMs)}`,
    next: "look at its log for what it waited for, or raise `timeout`",
  });
}

function asError(thrown: unknown): ComebackError {
  if (isComebackError(thrown)) return thrown;
  const errors = thrown instanceof AggregateError ? thrown.errors : [];
  const known = errors.find((error) => isComebackError(error));
  if (known !== undefined) return known;
  return new ComebackError("run.failed", messageOf(thrown), { cause: thrown });
}

/** An error in one line: what, why, what next. */
export function textOf(thrown: unknown): string {
  const error = asError(thrown);
  const cause = error.cause instanceof Error ? error.cause.message : "";
  const why = error.why ?? (error.message.includes(cause) ? undefined : cause);
  const parts = [why === undefined ? error.message : `${error.message}: ${why}`, error.next];
  return parts.filter((part) => part !== undefined).join("; ");
}
