import {
  assert,
  type Clock,
  ComebackError,
  isComebackError,
  messageOf,
  UNDO_ATTEMPTS_MAX,
  UNDO_MESSAGE_MAX_CHARS,
  UNDO_RETRY_PAUSE_MS,
} from "@comeback/core";
import { endMarkedProcesses } from "./end-marked-processes.ts";
import type { DamagedLine, Undoer } from "./journal-lines.ts";
import type { StepState } from "./journal-state.ts";
import { markOf, withoutMark } from "./marked-commands.ts";
import type { LockedJournal } from "./undo-journal.ts";
import type { UndoExecutor } from "./undo-executor.ts";

export interface UndoContext {
  readonly executor: UndoExecutor;
  readonly clock: Clock;
  readonly by: Undoer;
  readonly signal?: AbortSignal | undefined;
}

export interface FailedUndo {
  readonly description: string;
  readonly message: string;
  readonly error: unknown;
}

export interface UndoReport {
  readonly runId: string;
  /** Empty where the journal's first line cannot be read. */
  readonly plan: string;
  readonly journalPath: string;
  /** Descriptions, in the order in which they were undone. */
  readonly undone: readonly string[];
  readonly failed: readonly FailedUndo[];
  /** Lines of the journal that cannot be read: what they announced is not known. */
  readonly damagedLines: readonly DamagedLine[];
  /** Where the damaged journal lies now of which nothing else was left. */
  readonly setAside?: string | undefined;
}

export function isClean({ failed, damagedLines }: UndoReport): boolean {
  return failed.length === 0 && damagedLines.length === 0;
}

/**
 * Undoes, newest first, those of the steps that `selects` names and that are not undone yet; goes on
 * where one fails. The journal is removed once nothing is left in it.
 */
export async function undoSteps(
  journal: LockedJournal,
  context: UndoContext,
  options: {
    selects?(step: StepState): boolean;
    /** The step may still be under way, in a run that lives: it is not done with. */
    staysOpen?(step: StepState): boolean;
    /** The run goes on, and may do more: its journal stays. */
    readonly keepsJournal?: boolean;
    /** A damaged journal of which nothing else is left is set aside, not kept to be told again. */
    readonly clearsDamaged?: boolean;
  } = {},
): Promise<UndoReport> {
  const { selects = () => true, staysOpen = () => false } = options;
  const { keepsJournal = false, clearsDamaged = false } = options;
  const { clock, by, signal } = context;
  const { runId, path: journalPath } = journal;
  const { header, steps, damagedLines } = await journal.read();
  const undone: string[] = [];
  const failed: FailedUndo[] = [];
  const open = steps.filter((step) => !step.isUndone);
  let left = open.length;
  for (const step of open.filter(selects).toReversed()) {
    const { id, description } = step;
    try {
      await undoStep(step, runId, context);
      undone.push(description);
      if (staysOpen(step)) continue;
      // Not forced to the disk: where it is lost, the step is undone twice.
      await journal.append({ type: "undone", id, by, atMs: clock.now() });
      left--;
    } catch (error) {
      signal?.throwIfAborted();
      const message = explain(error).slice(0, UNDO_MESSAGE_MAX_CHARS);
      failed.push({ description, message, error });
      // A full disk must not keep the others from being undone.
      const record = { type: "failed", id, by, message, atMs: clock.now() } as const;
      await journal.append(record).catch(() => undefined);
    }
  }
  const report = { runId, plan: header?.plan ?? "", journalPath, undone, failed, damagedLines };
  if (left > 0 || keepsJournal) return report;
  if (damagedLines.length === 0) await journal.remove();
  else if (clearsDamaged) return { ...report, setAside: await journal.setAside() };
  return report;
}

async function undoStep(
  { id, step, isDone }: StepState,
  runId: string,
  { executor, clock, signal = new AbortController().signal }: UndoContext,
): Promise<void> {
  if (!isDone) await endMarkedProcesses(markOf(runId, id), clock);
  for (let attempt = 1; ; attempt++) {
    try {
      await withoutMark(() => executor(step, { isInterrupted: !isDone, signal }));
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (attempt === UNDO_ATTEMPTS_MAX) throw error;
      await clock.sleep(UNDO_RETRY_PAUSE_MS * 2 ** (attempt - 1), signal);
    }
  }
}

export function explain(error: unknown): string {
  const why = isComebackError(error) && error.why !== undefined ? `: ${error.why}` : "";
  return messageOf(error) + why;
}

/** "line 3 of its journal cannot be read". */
export function damageOf({ damagedLines }: Pick<UndoReport, "damagedLines">): string {
  const numbers = damagedLines.map(({ number }) => number).join(", ");
  return `line ${numbers} of its journal cannot be read`;
}

/** For a report that is not clean. */
export function undoIncomplete(report: UndoReport): ComebackError {
  const { failed, runId } = report;
  const [first] = failed;
  assert(!isClean(report), "something was not undone");
  const what =
    first === undefined
      ? `the journal of run ${runId} is damaged`
      : `${failed.length === 1 ? first.description : `${failed.length} things`} could not be undone`;
  return new ComebackError("undo.incomplete", what, {
    why:
      first === undefined
        ? `${damageOf(report)}: what it announced may still be there`
        : first.message,
    next:
      first === undefined
        ? "look whether anything of that run is still there; `comeback run --undo` shows and clears it"
        : "mend what stands in the way, then run `comeback run --undo`",
    cause: first?.error,
  });
}
