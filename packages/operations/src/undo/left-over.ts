import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "@comeback/core";
import type { DamagedLine, JournalHeader } from "./journal-lines.ts";
import type { StepState } from "./journal-state.ts";
import {
  isJournalName,
  isRunAlive,
  journalFolder,
  readJournal,
  runIdOf,
  UndoJournal,
} from "./undo-journal.ts";
import type { UndoExecutor } from "./undo-executor.ts";
import { explain, type UndoReport, undoSteps } from "./undo-steps.ts";

/** What a run left behind that ended without undoing it. */
export interface LeftOver {
  readonly journalPath: string;
  readonly runId: string;
  /** `undefined` where the journal's first line cannot be read. */
  readonly header: JournalHeader | undefined;
  /** What is to be undone, in the order in which that will happen. */
  readonly steps: readonly StepState[];
  readonly damagedLines: readonly DamagedLine[];
}

/** The journals of runs that are gone; its watchdog may be about to undo one. Oldest first. */
export async function listLeftOver(stateFolder: string): Promise<LeftOver[]> {
  const folder = journalFolder(stateFolder);
  const found: LeftOver[] = [];
  for (const name of (await namesIn(folder)).filter(isJournalName).toSorted()) {
    const journalPath = join(folder, name);
    if (await isRunAlive(journalPath)) continue;
    const state = await readJournal(journalPath);
    // It has been undone in the meantime.
    if (state === undefined) continue;
    const { header, damagedLines } = state;
    const steps = state.steps.filter(({ isUndone }) => !isUndone).toReversed();
    found.push({ journalPath, runId: runIdOf(journalPath), header, steps, damagedLines });
  }
  return found;
}

export interface UndoLeftOverOptions {
  executorFor(header: JournalHeader | undefined): Promise<UndoExecutor>;
  readonly clock: Clock;
  /**
   * Someone is shown what is damaged: a journal of which nothing else is left is set aside, and
   * nobody is told of it again. Default: false.
   */
  readonly clearsDamaged?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Undoes what was left over, newest first, and tells of each run what came of it. Waits for whoever
 * is undoing the same; what they have undone is in no report.
 */
export async function undoLeftOver(
  leftOver: readonly LeftOver[],
  options: UndoLeftOverOptions,
): Promise<UndoReport[]> {
  const reports: UndoReport[] = [];
  for (const one of leftOver.toReversed()) {
    try {
      const report = await undoOne(one, options);
      if (report !== undefined) reports.push(report);
    } catch (error) {
      options.signal?.throwIfAborted();
      // One journal that is held, or is none, must not keep the others from being undone.
      const { runId, header, journalPath, damagedLines } = one;
      const failed = [{ description: `what ${journalPath} names`, message: explain(error), error }];
      const plan = header?.plan ?? "";
      reports.push({ runId, plan, journalPath, undone: [], failed, damagedLines });
    }
  }
  return reports;
}

async function undoOne(
  { journalPath }: LeftOver,
  { executorFor, clock, clearsDamaged = false, signal }: UndoLeftOverOptions,
): Promise<UndoReport | undefined> {
  await using journal = await UndoJournal.open(journalPath, clock);
  return await journal?.locked(async (locked) => {
    const { header } = await locked.read();
    const executor = await executorFor(header);
    return undoSteps(locked, { executor, clock, by: "later", signal }, { clearsDamaged });
  }, signal);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
