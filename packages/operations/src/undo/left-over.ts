import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "@comeback/core";
import type { JournalHeader } from "./journal-lines.ts";
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
import { type UndoReport, undoSteps } from "./undo-steps.ts";

/** What a run left behind that ended without undoing it. */
export interface LeftOver {
  readonly journalPath: string;
  readonly runId: string;
  /** `undefined` where the journal's first line cannot be read. */
  readonly header: JournalHeader | undefined;
  /** What is to be undone, in the order in which that will happen. */
  readonly steps: readonly StepState[];
  readonly damagedLines: readonly number[];
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
  readonly signal?: AbortSignal | undefined;
}

/**
 * Undoes what was left over, newest first, and tells of each run what came of it. Waits for whoever
 * is undoing the same; what they have undone is in no report.
 */
export async function undoLeftOver(
  leftOver: readonly LeftOver[],
  { executorFor, clock, signal }: UndoLeftOverOptions,
): Promise<UndoReport[]> {
  const reports: UndoReport[] = [];
  for (const { journalPath } of leftOver.toReversed()) {
    await using journal = await UndoJournal.open(journalPath, clock);
    const report = await journal?.locked(async (locked) => {
      const { header } = await locked.read();
      const executor = await executorFor(header);
      return undoSteps(locked, { executor, clock, by: "later", signal });
    }, signal);
    if (report !== undefined) reports.push(report);
  }
  return reports;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
