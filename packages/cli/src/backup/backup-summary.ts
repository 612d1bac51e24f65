import type { BackupResult } from "@comeback/engine";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatMany,
  formatRate,
} from "../terminal/format-values.ts";
import type { Palette } from "../terminal/palette.ts";
import { entriesWere, renderProblemList } from "../terminal/render-problems.ts";
import { shortId } from "../snapshots/render-snapshots.ts";

export interface FinishedBackup {
  readonly result: BackupResult;
  readonly elapsedMs: number;
  readonly dryRun: boolean;
  /** Also count blobs, for whoever wants to know. */
  readonly isVerbose?: boolean;
}

/** What was new, changed, unreadable and stored, and how fast: for a person. */
export function renderBackupSummary(finished: FinishedBackup, palette: Palette): string[] {
  const { result, elapsedMs } = finished;
  const { summary } = result;
  const bytes = summary.total_bytes_processed;
  const amount = `${formatMany(summary.total_files_processed, "file")}, ${formatBytes(bytes)}`;
  const speed = `in ${formatDuration(elapsedMs)} (${formatRate(bytes, elapsedMs)})`;
  const counts = [
    ["", "new", "changed", "unmodified"],
    ["files", summary.files_new, summary.files_changed, summary.files_unmodified],
    ["folders", summary.dirs_new, summary.dirs_changed, summary.dirs_unmodified],
  ] as const;
  return [
    "",
    `${outcome(finished, palette)}: ${amount} ${speed}`,
    "",
    ...counts.map(([title, ...values]) => countLine(title, values)),
    "",
    storedLine(finished),
    ...resumedLines(finished),
    ...(finished.isVerbose === true ? [blobLine(finished)] : []),
  ];
}

function blobLine({ result }: FinishedBackup): string {
  const { data_blobs: data, tree_blobs: trees } = result.summary;
  return `new blobs: ${formatCount(data)} of data, ${formatCount(trees)} of folder trees`;
}

function storedLine({ result, dryRun }: FinishedBackup): string {
  const { data_added: added, data_added_packed: packed } = result.summary;
  if (added === 0) return "nothing new to store";
  const verb = dryRun ? "would store" : "stored";
  return `${verb} ${formatBytes(added)} of new data as ${formatBytes(packed)}`;
}

/** What going on from an interrupted backup has saved. */
function resumedLines({ result: { resumed } }: FinishedBackup): string[] {
  if (resumed === undefined || resumed.files === 0) return [];
  const amount = `${formatMany(resumed.files, "file")}, ${formatBytes(resumed.bytes)}`;
  return [`went on from an interrupted backup: ${amount} not read again`];
}

function outcome({ result, dryRun }: FinishedBackup, palette: Palette): string {
  if (dryRun) return palette.bold("dry run, nothing was written");
  if (result.snapshot === undefined) return "nothing has changed, so no snapshot was made";
  const saved = `snapshot ${shortId(result.snapshot.id)} saved`;
  return result.problemCount === 0
    ? palette.green(saved)
    : palette.yellow(`${saved}, but not complete`);
}

function countLine(title: string, values: readonly (string | number)[]): string {
  const cells = values.map((value) =>
    (typeof value === "number" ? formatCount(value) : value).padStart(12),
  );
  return `  ${title.padEnd(8)}${cells.join("")}`;
}

/** What could not be saved, for stderr. */
export function renderBackupProblems({ result }: FinishedBackup): string[] {
  const { problems, problemCount } = result;
  const title = `${entriesWere(problemCount)} not read completely; everything else is saved:`;
  const list = renderProblemList(title, problems, problemCount);
  return list.length === 0 ? [] : ["", ...list];
}

/** restic's summary message; what was not read again thanks to a checkpoint is ours alone. */
export function backupSummaryMessage({ result, elapsedMs, dryRun }: FinishedBackup): string {
  const { resumed } = result;
  const { backup_start, backup_end, ...counts } = result.summary;
  return JSON.stringify({
    message_type: "summary",
    ...(dryRun ? { dry_run: true } : {}),
    ...counts,
    ...(resumed === undefined
      ? {}
      : { resumed_files: resumed.files, resumed_bytes: resumed.bytes }),
    total_duration: elapsedMs / 1000,
    backup_start,
    backup_end,
    ...(result.snapshot === undefined ? {} : { snapshot_id: result.snapshot.id }),
  });
}
