import type { LogRecord, RunRecord, SnapshotRecord, StageRecord } from "@comeback/core";
import { shortId } from "../snapshots/render-snapshots.ts";
import { shortenMiddle, wrapWords } from "../terminal/display-width.ts";
import { formatBytes, formatDuration } from "../terminal/format-values.ts";
import type { Palette } from "../terminal/palette.ts";
import { printableText } from "../terminal/printable.ts";
import { type Column, renderTable } from "../terminal/table.ts";
import { colourOutcome, outcomeCell, outcomeText } from "../terminal/outcome-text.ts";
import { localTime } from "./render-runs.ts";

export interface RunReport {
  readonly run: RunRecord;
  readonly stages: readonly StageRecord[];
  readonly snapshots: readonly SnapshotRecord[];
  /** Of its log: warnings and errors. */
  readonly problems: readonly LogRecord[];
}

const SUBJECT_COLUMNS_MAX = 30;
const NAME_COLUMNS_MAX = 13;
const TITLE_LINES = 2;

/** One run: what it did, what it made, and what was wrong. */
export function renderRun(report: RunReport, palette: Palette, columns: number): string[] {
  const { stages, snapshots, problems } = report;
  return [
    ...headOf(report.run, palette, columns),
    ...(stages.length === 0 ? [] : ["", ...stageLines(stages, palette, columns)]),
    ...(snapshots.length === 0 ? [] : ["", ...snapshotLines(snapshots, palette)]),
    ...(problems.length === 0
      ? []
      : [
          "",
          "Warnings and errors:",
          ...problems.flatMap((one) => problemLines(one, palette, columns)),
        ]),
  ];
}

function headOf(run: RunRecord, palette: Palette, columns: number): string[] {
  const { id, plan, host, outcome, backupType, trigger, scheduledForMs, message } = run;
  const outcomeWord = outcomeText(outcome);
  const room = columns - ": ".length - outcomeWord.length;
  const title = shortenMiddle(printableText(`run ${id} of ${plan} on ${host}`), room);
  const due = scheduledForMs === undefined ? "" : `, due ${localTime(scheduledForMs)}`;
  const took =
    run.endedAtMs === undefined ? "" : `, took ${formatDuration(run.endedAtMs - run.startedAtMs)}`;
  const type = backupType === undefined ? "" : `${backupType}, `;
  return [
    `${palette.bold(title)}: ${colourOutcome(outcomeWord, outcome, palette)}`,
    `${type}${trigger}${due}`,
    `started ${localTime(run.startedAtMs)}${took}`,
    ...(message === undefined ? [] : wrapWords(printableText(message), columns)),
  ];
}

function stageLines(stages: readonly StageRecord[], palette: Palette, columns: number): string[] {
  const titles: Column[] = [
    { title: "Stage" },
    { title: "Of" },
    { title: "Took", align: "right" },
    { title: "Tries", align: "right" },
    { title: "Outcome" },
  ];
  const rows = stages.map(({ stage, subject, startedAtMs, endedAtMs, attempts, outcome }) => [
    stage,
    shortenMiddle(printableText(subject ?? ""), SUBJECT_COLUMNS_MAX),
    endedAtMs === undefined ? "" : formatDuration(endedAtMs - startedAtMs),
    String(attempts),
    outcomeCell(outcome, palette),
  ]);
  const lines = renderTable(titles, rows);
  const told = lines.slice(TITLE_LINES).flatMap((line, place) => {
    const { message, errorCode } = stages[place] ?? {};
    if (message === undefined) return [line];
    const code = errorCode === undefined ? "" : ` [${errorCode}]`;
    return [line, ...indented(printableText(message + code), columns).map(palette.dim)];
  });
  return [...lines.slice(0, TITLE_LINES), ...told];
}

function snapshotLines(snapshots: readonly SnapshotRecord[], palette: Palette): string[] {
  const titles: Column[] = [
    { title: "Snapshot" },
    { title: "Source" },
    { title: "Destination" },
    { title: "Type" },
    { title: "Size", align: "right" },
    { title: "New", align: "right" },
    { title: "Outcome" },
  ];
  const name = (text: string): string => shortenMiddle(printableText(text), NAME_COLUMNS_MAX);
  const rows = snapshots.map((snapshot) => [
    shortId(snapshot.snapshotId),
    name(snapshot.source),
    name(snapshot.destination),
    snapshot.copiedFrom === undefined ? snapshot.backupType.slice(0, "diff".length) : "copy",
    formatBytes(snapshot.sizeBytes),
    formatBytes(snapshot.storedBytes),
    outcomeCell(snapshot.outcome, palette),
  ]);
  return renderTable(titles, rows);
}

function problemLines(line: LogRecord, palette: Palette, columns: number): string[] {
  const about = [line.stage, line.subject].filter((part) => part !== undefined).join(" ");
  const text = printableText(about === "" ? line.text : `${about}: ${line.text}`);
  return indented(text, columns).map(line.level === "error" ? palette.red : palette.yellow);
}

function indented(text: string, columns: number): string[] {
  return wrapWords(text, columns - "  ".length).map((part) => `  ${part}`);
}
