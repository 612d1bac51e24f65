import type { LogRecord, RunRecord, StageRecord } from "@comeback/core";
import type { LiveProgress, RunObserver } from "@comeback/operations";
import type { CommandContext } from "../context.ts";
import { formatBytes, formatClock, formatDuration, formatRate } from "../terminal/format-values.ts";
import { printableText } from "../terminal/printable.ts";
import { joinFitting, renderBar } from "../terminal/progress-bar.ts";
import { ProgressTicker, type ProgressView } from "../terminal/progress-ticker.ts";
import { padEndTo, shortenMiddle, wrapWords } from "../terminal/display-width.ts";
import { RateMeter } from "../terminal/rate-meter.ts";
import { colourOutcome } from "../terminal/outcome-text.ts";

const OUTCOME_COLUMNS = 9;
const STAGE_COLUMNS = 11;
const SUBJECT_COLUMNS_MIN = 10;
/** What subjects are padded to, so that times stand below each other. */
const SUBJECT_COLUMNS = 30;
/** What else stands on a stage's line, with its time and its tries. */
const NOT_SUBJECT_COLUMNS = OUTCOME_COLUMNS + STAGE_COLUMNS + 24;
const INDENT = " ".repeat(OUTCOME_COLUMNS);

/** Shows a run while it goes on: each stage as it ends, and below them what is being done. */
export class RunView implements Disposable {
  readonly #context: CommandContext;
  readonly #ticker: ProgressTicker;
  /** Warnings and errors of the stage at hand; they follow its line. */
  #said: LogRecord[] = [];
  #stage: StageRecord | undefined;

  constructor(context: CommandContext) {
    const { terminal, env, globals } = context;
    this.#context = context;
    const { quiet } = globals;
    this.#ticker = new ProgressTicker({ terminal, env, json: globals.json, quiet });
  }

  readonly observer: RunObserver = {
    onRun: (run) => this.#onRun(run),
    onStage: (stage) => this.#onStage(stage),
    onLog: (line) => this.#onLog(line),
    onProgress: (read) => this.#onProgress(read),
  };

  #onRun(run: RunRecord): void {
    const { terminal, globals } = this.#context;
    if (globals.json) {
      if (run.endedAtMs === undefined) this.#print({ message_type: "run", ...run });
      return;
    }
    if (globals.quiet || run.endedAtMs !== undefined) return;
    const { palette } = terminal;
    const what = run.backupType === undefined ? "copies" : run.backupType;
    terminal.print(`${palette.bold(run.plan)}: ${what}, run ${run.id}`);
  }

  #onStage(stage: StageRecord): void {
    const { terminal, globals } = this.#context;
    if (globals.json) {
      this.#print({ message_type: "stage", ...stage });
      return;
    }
    this.#stage = stage.endedAtMs === undefined ? stage : undefined;
    if (stage.endedAtMs === undefined) {
      this.#ticker.start(new WaitingView(stage, () => this.#context.clock.now()));
      return;
    }
    this.#ticker.stop();
    const said = this.#said;
    this.#said = [];
    const isGood = stage.outcome === "ok" || stage.outcome === "skipped";
    if (globals.quiet && isGood) return;
    const { palette } = terminal;
    const { outcome = "failed" } = stage;
    const took = formatDuration(stage.endedAtMs - stage.startedAtMs);
    const tries = stage.attempts > 1 ? `, ${stage.attempts} tries` : "";
    const name = stage.stage.padEnd(STAGE_COLUMNS);
    const columns = Math.max(SUBJECT_COLUMNS_MIN, terminal.columns - NOT_SUBJECT_COLUMNS);
    const subject = shortenMiddle(printableText(stage.subject ?? ""), columns);
    terminal.print(
      `${colourOutcome(outcome.padEnd(OUTCOME_COLUMNS), outcome, palette)}${name}` +
        `${padEndTo(subject, Math.min(columns, SUBJECT_COLUMNS))}${palette.dim(`  ${took}${tries}`)}`,
    );
    for (const line of said) this.#printSaid(line);
  }

  #printSaid({ level, text }: LogRecord): void {
    const { terminal } = this.#context;
    const paint = this.#painter(level);
    for (const line of wrapWords(printableText(text), terminal.columns - INDENT.length)) {
      terminal.print(`${INDENT}${paint(line)}`);
    }
  }

  #painter(level: LogRecord["level"]): (text: string) => string {
    const { palette } = this.#context.terminal;
    if (level === "error") return palette.red;
    return level === "warning" ? palette.yellow : palette.dim;
  }

  #onLog(line: LogRecord): void {
    const { globals } = this.#context;
    if (globals.json) {
      this.#print({ message_type: "log", ...line });
      return;
    }
    const isWanted = line.level === "warning" || line.level === "error" || globals.verbosity > 0;
    if (!isWanted) return;
    if (this.#stage === undefined) this.#printSaid(line);
    else this.#said.push(line);
  }

  #onProgress(read: (() => LiveProgress) | undefined): void {
    if (read === undefined) this.#ticker.stop();
    else this.#ticker.start(new TransferView(read));
  }

  #print(message: object): void {
    this.#context.terminal.print(JSON.stringify(message));
  }

  [Symbol.dispose](): void {
    this.#ticker.stop();
  }
}

/** A stage that says nothing of how far it is. */
class WaitingView implements ProgressView {
  readonly #stage: StageRecord;
  readonly #now: () => number;

  constructor(stage: StageRecord, now: () => number) {
    this.#stage = stage;
    this.#now = now;
  }

  lines(columns: number): string[] {
    return [joinFitting([this.logLine()], columns)];
  }

  logLine(): string {
    const { stage, subject, startedAtMs } = this.#stage;
    const what = subject === undefined ? stage : `${stage} ${printableText(subject)}`;
    return `[${formatClock(this.#now() - startedAtMs)}] ${what}`;
  }
}

/** Bytes that are read or copied. */
class TransferView implements ProgressView {
  readonly #read: () => LiveProgress;
  readonly #rate = new RateMeter();
  readonly #startMs = performance.now();

  constructor(read: () => LiveProgress) {
    this.#read = read;
  }

  lines(columns: number): string[] {
    const { doneBytes, totalBytes, text } = this.#read();
    const share = totalBytes > 0 ? doneBytes / totalBytes : undefined;
    const size =
      totalBytes > 0
        ? `${formatBytes(doneBytes)} / ${formatBytes(totalBytes)}`
        : formatBytes(doneBytes);
    return [
      joinFitting([renderBar(share, columns), size], columns),
      joinFitting([...this.#pace(doneBytes, totalBytes), printableText(text)], columns),
    ];
  }

  logLine(): string {
    const { doneBytes, totalBytes, text } = this.#read();
    const of = totalBytes > 0 ? ` of ${formatBytes(totalBytes)}` : "";
    const [elapsed = "", ...rest] = this.#pace(doneBytes, totalBytes);
    return `[${elapsed}] ${[printableText(text), `${formatBytes(doneBytes)}${of}`, ...rest].filter((part) => part !== "").join(", ")}`;
  }

  #pace(doneBytes: number, totalBytes: number): string[] {
    const nowMs = performance.now();
    this.#rate.add(nowMs, doneBytes);
    const remainingMs = totalBytes > 0 ? this.#rate.remainingMs(totalBytes - doneBytes) : undefined;
    return [
      formatClock(nowMs - this.#startMs),
      remainingMs === undefined ? "" : `${formatClock(remainingMs)} left`,
      formatRate(this.#rate.perSecond(), 1000),
    ];
  }
}
