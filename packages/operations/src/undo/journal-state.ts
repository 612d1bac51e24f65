import type { DamagedLine, DecodedJournal, JournalHeader, JournalRecord } from "./journal-lines.ts";
import type { UndoStep } from "./undo-step.ts";

/** One thing that was, or was about to be, done. */
export interface StepState {
  readonly id: number;
  readonly step: UndoStep;
  readonly description: string;
  readonly deadlineMs: number | undefined;
  /** False where it was never finished, or is being done right now. */
  readonly isDone: boolean;
  readonly isUndone: boolean;
  /** Its window has passed. */
  readonly isOverrun: boolean;
  /** Why it could not be undone the last time. */
  readonly failure: string | undefined;
}

/** What a journal says, all of its lines taken together. */
export interface JournalState {
  readonly header: JournalHeader | undefined;
  /** In the order in which they were done. */
  readonly steps: readonly StepState[];
  readonly damagedLines: readonly DamagedLine[];
}

export function stateOf({ records, damagedLines }: DecodedJournal): JournalState {
  let header: JournalHeader | undefined;
  const steps = new Map<number, StepState>();
  const change = (id: number, by: Partial<StepState>): void => {
    const state = steps.get(id);
    if (state !== undefined) steps.set(id, { ...state, ...by });
  };
  for (const record of records) {
    if (record.type === "run") header ??= record;
    else if (record.type === "step") steps.set(record.id, newStep(record));
    else if (record.type === "done") change(record.id, { isDone: true });
    else if (record.type === "undone") change(record.id, { isUndone: true, failure: undefined });
    else if (record.type === "failed") change(record.id, { failure: record.message });
    else for (const id of record.ids) change(id, { isOverrun: true });
  }
  return { header, steps: [...steps.values()], damagedLines };
}

function newStep({
  id,
  step,
  description,
  deadlineMs,
}: JournalRecord & { type: "step" }): StepState {
  const flags = { isDone: false, isUndone: false, isOverrun: false };
  return { id, step, description, deadlineMs, ...flags, failure: undefined };
}
