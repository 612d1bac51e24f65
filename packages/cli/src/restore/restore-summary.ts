import type { RestoreResult } from "@comeback/engine";
import { formatBytes, formatDuration, formatMany, formatRate } from "../terminal/format-values.ts";
import type { Palette } from "../terminal/palette.ts";
import { printableText } from "../terminal/printable.ts";
import { entriesWere, renderProblemList } from "../terminal/render-problems.ts";
import { restoreCounts } from "./restore-view.ts";

export interface FinishedRestore {
  readonly result: RestoreResult;
  readonly elapsedMs: number;
  readonly dryRun: boolean;
  readonly verified: boolean;
  /** As the user named it. */
  readonly target: string;
}

/** What came back, what was left as it was, and how fast: for a person. */
export function renderRestoreSummary(finished: FinishedRestore, palette: Palette): string[] {
  const { result, elapsedMs, dryRun, verified, target } = finished;
  const entries = formatMany(result.filesDone, "entry", "entries");
  const speed = `in ${formatDuration(elapsedMs)} (${formatRate(result.bytesDone, elapsedMs)})`;
  const start = `${dryRun ? "would restore" : "restored"} ${entries}`;
  const complete = result.problems === 0;
  const colour = complete ? palette.green : palette.yellow;
  const lines = [
    "",
    `${dryRun ? start : colour(start)} to ${printableText(target)}: ` +
      `${formatBytes(result.bytesDone)} ${speed}`,
  ];
  if (result.filesSkipped > 0) {
    const skipped = formatMany(result.filesSkipped, "file");
    lines.push(`left ${skipped} as they were (${formatBytes(result.bytesSkipped)})`);
  }
  if (result.filesDeleted > 0) {
    const deleted = formatMany(result.filesDeleted, "entry", "entries");
    lines.push(`${dryRun ? "would delete" : "deleted"} ${deleted} that the snapshot does not have`);
  }
  if (verified) {
    const files = formatMany(result.filesVerified, "file");
    lines.push(`read ${files} again and compared ${formatBytes(result.bytesVerified)}`);
  }
  return lines;
}

/** What did not come back as it was, for stderr. */
export function renderRestoreProblems({ result }: FinishedRestore): string[] {
  const { problems, problemsKept } = result;
  const title = `${entriesWere(problems)} not restored as saved; all others were:`;
  const list = renderProblemList(title, problemsKept, problems);
  return list.length === 0 ? [] : ["", ...list];
}

/** restic's summary message. */
export function restoreSummaryMessage({ result, elapsedMs }: FinishedRestore): string {
  const seconds = Math.floor(elapsedMs / 1000);
  return JSON.stringify({
    message_type: "summary",
    ...(seconds === 0 ? {} : { seconds_elapsed: seconds }),
    ...restoreCounts(result),
  });
}
