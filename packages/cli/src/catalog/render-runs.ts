import type { RunRecord } from "@comeback/core";
import { formatDuration, formatLocalTime } from "../terminal/format-values.ts";
import { shortenMiddle } from "../terminal/display-width.ts";
import { hostText } from "../terminal/host-text.ts";
import type { Palette } from "../terminal/palette.ts";
import { printableText } from "../terminal/printable.ts";
import { type Column, renderTable } from "../terminal/table.ts";
import { outcomeCell } from "../terminal/outcome-text.ts";

const columnsOf = (second: string, third: string): readonly Column[] => [
  { title: "Run" },
  { title: second },
  { title: third },
  { title: "Type" },
  { title: "Took", align: "right" },
  { title: "Outcome" },
];
/** As much of an id as people type: a beginning that no other has names a run. */
const ID_COLUMNS_MAX = "20261128-020000-4f2a".length;
/** What the other columns take at most leaves so much of 80 for the name of a plan. */
const PLAN_COLUMNS_MAX = 12;
/** In the place of the local time, which the ids have in UTC: hosts have clocks of their own. */
const HOST_COLUMNS_MAX = 16;
/** More are the hosts'. */
const COLUMNS_MIN = 80;
const TYPE_COLUMNS_MAX = 4;

export function localTime(atMs: number): string {
  return formatLocalTime(new Date(atMs).toISOString());
}

/** Of one host, or of all, with a column for their names. */
export type RunsOf = { readonly host: string } | { readonly hostColumns: number };

export function runsOfAllHosts(columns: number): RunsOf {
  return { hostColumns: HOST_COLUMNS_MAX + Math.max(0, columns - COLUMNS_MIN) };
}

/** Without seconds. */
export function localMinute(atMs: number): string {
  return localTime(atMs).slice(0, "2026-11-28 02:00".length);
}

/** The table of `comeback history`, newest first. */
export function renderRuns(runs: readonly RunRecord[], palette: Palette, whose: RunsOf): string[] {
  if (runs.length === 0) {
    return ["hostColumns" in whose ? "no runs" : printableText(`no runs of ${whose.host}`)];
  }
  const rows = runs.map(({ id, plan, host, startedAtMs, endedAtMs, backupType, outcome }) => [
    printableText(id).slice(0, ID_COLUMNS_MAX),
    ...("hostColumns" in whose ? [hostText(host, whose.hostColumns)] : []),
    shortenMiddle(printableText(plan), PLAN_COLUMNS_MAX),
    // Without seconds: the id has them.
    ...("hostColumns" in whose ? [] : [localMinute(startedAtMs)]),
    (backupType ?? "").slice(0, TYPE_COLUMNS_MAX),
    endedAtMs === undefined ? "" : formatDuration(endedAtMs - startedAtMs),
    outcomeCell(outcome, palette),
  ]);
  return renderTable(
    "hostColumns" in whose ? columnsOf("Host", "Plan") : columnsOf("Plan", "Started"),
    rows,
  );
}
