import type { RunRecord } from "@comeback/core";
import { formatDuration, formatLocalTime } from "../terminal/format-values.ts";
import { shortenMiddle } from "../terminal/display-width.ts";
import type { Palette } from "../terminal/palette.ts";
import { printableText } from "../terminal/printable.ts";
import { type Column, renderTable } from "../terminal/table.ts";
import { colourOutcomes, outcomeText } from "../terminal/outcome-text.ts";

const COLUMNS: readonly Column[] = [
  { title: "Run" },
  { title: "Plan" },
  { title: "Started" },
  { title: "Type" },
  { title: "Took", align: "right" },
  { title: "Outcome" },
];
/** What the other columns take at most leaves so much of 80 for the name of a plan. */
const PLAN_COLUMNS_MAX = 12;
const TYPE_COLUMNS_MAX = 4;
const TITLE_LINES = 2;

export function localTime(atMs: number): string {
  return formatLocalTime(new Date(atMs).toISOString());
}

/** The table of `comeback history`, newest first. */
export function renderRuns(runs: readonly RunRecord[], palette: Palette): string[] {
  if (runs.length === 0) return ["no runs"];
  const rows = runs.map(({ id, plan, startedAtMs, endedAtMs, backupType, outcome }) => [
    printableText(id),
    shortenMiddle(printableText(plan), PLAN_COLUMNS_MAX),
    // Without seconds: the id has them.
    localTime(startedAtMs).slice(0, "2026-11-28 02:00".length),
    (backupType ?? "").slice(0, TYPE_COLUMNS_MAX),
    endedAtMs === undefined ? "" : formatDuration(endedAtMs - startedAtMs),
    outcomeText(outcome),
  ]);
  const lines = renderTable(COLUMNS, rows);
  const outcomes = runs.map(({ outcome }) => outcome);
  return [
    ...lines.slice(0, TITLE_LINES),
    ...colourOutcomes(lines.slice(TITLE_LINES), outcomes, palette),
  ];
}
