import type { BackupType, SourceItem } from "@comeback/core";
import type { BackupOutcome } from "@comeback/engine";
import {
  type CapturedAmount,
  type Deviation,
  deviationsFrom,
  historyOf,
} from "./compare-with-history.ts";
import type { RunState, SourceRun } from "./run-state.ts";
import { earlierCaptures } from "./source-history.ts";

/** What was read of a source. */
export interface ReadContent extends BackupOutcome {
  readonly type: BackupType;
  readonly items: readonly SourceItem[];
  readonly missing: readonly (SourceItem & { readonly reason: string })[];
}

/** What a capture is worth, beside those before it. */
export interface Judgement {
  readonly amount: CapturedAmount;
  readonly missing: ReadContent["missing"];
  readonly deviations: readonly Deviation[];
  /** False where nobody could say what was there before. */
  readonly isCompared: boolean;
  /** `ok` where it is complete and as expected, or accepted as it is. */
  readonly outcome: "ok" | "warning";
}

/** Compares what was read with before. */
export async function judgeCapture(
  state: RunState,
  source: SourceRun,
  { type, summary, problemCount, items, missing }: ReadContent,
): Promise<Judgement> {
  const { services, request } = state;
  const gone = new Set(missing.map(({ kind, name }) => `${kind}\0${name}`));
  const amount: CapturedAmount = {
    atMs: source.atMs ?? services.clock.now(),
    backupType: type,
    files: summary.total_files_processed,
    sizeBytes: summary.total_bytes_processed,
    addedBytes: summary.data_added,
    items: items.filter(({ kind, name }) => !gone.has(`${kind}\0${name}`)),
  };
  const { expect } = source.settings;
  const captures = request.accept ? [] : await earlierCaptures(state, source.name);
  const isCompared = captures !== undefined;
  const deviations = deviationsFrom(amount, historyOf(captures ?? [], expect), expect);
  // Accepted is accepted: the baseline, whatever single files could not be read.
  const isGood = missing.length === 0 && (problemCount === 0 || request.accept);
  const outcome = isGood && deviations.length === 0 ? "ok" : "warning";
  return { amount, missing, deviations, isCompared, outcome };
}
