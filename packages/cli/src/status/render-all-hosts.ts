import { formatMany, type PlanState } from "@comeback/core";
import { shortenMiddle, wrapWords } from "../terminal/display-width.ts";
import { outcomeCell } from "../terminal/outcome-text.ts";
import type { Palette } from "../terminal/palette.ts";
import { printableText } from "../terminal/printable.ts";
import { type Column, renderTable } from "../terminal/table.ts";
import { hostText } from "../terminal/host-text.ts";
import { formatAge } from "./format-age.ts";
import { hasFailed, wantsALook } from "./plan-outcome.ts";

const COLUMNS: readonly Column[] = [
  { title: "Host" },
  { title: "Plan" },
  { title: "Last run" },
  { title: "Last good", align: "right" },
  { title: "Proven", align: "right" },
  { title: "Missed", align: "right" },
];
/** With what the other columns take at most, within COLUMNS_MIN. */
const HOST_COLUMNS_MAX = 18;
const COLUMNS_MIN = 80;
const PLAN_COLUMNS_MAX = 16;
const NOTE =
  "This is what was recorded. Whether a plan is safe depends on its configuration: " +
  "`comeback status` on its host says that.";

/** A line for each plan of each host. */
export function renderAllHosts(
  { states, nowMs }: { readonly states: readonly PlanState[]; readonly nowMs: number },
  palette: Palette,
  columns: number,
): string[] {
  const since = (atMs: number | undefined): string =>
    atMs === undefined ? "never" : formatAge(nowMs - atMs);
  const rows = states.map((state) => [
    hostText(state.host, HOST_COLUMNS_MAX + Math.max(0, columns - COLUMNS_MIN)),
    shortenMiddle(printableText(state.plan), PLAN_COLUMNS_MAX),
    lastRunText(state, palette),
    since(state.lastGoodRun?.startedAtMs),
    since(state.lastProof?.atMs),
    state.openMisses === 0 ? "-" : String(state.openMisses),
  ]);
  if (rows.length === 0) return [headline(states, palette)];
  return [
    headline(states, palette),
    "",
    ...renderTable(COLUMNS, rows),
    "",
    ...wrapWords(NOTE, columns),
  ];
}

function lastRunText({ lastRun, isRunning }: PlanState, palette: Palette): string {
  if (lastRun === undefined) return palette.red("none");
  if (lastRun.outcome === undefined && !isRunning) return palette.red("died");
  return outcomeCell(lastRun.outcome, palette);
}

function headline(states: readonly PlanState[], palette: Palette): string {
  if (states.length === 0) return palette.yellow("Nothing is recorded of any such plan.");
  const hosts = new Set(states.map(({ host }) => host)).size;
  const all = `${formatMany(states.length, "plan")} of ${formatMany(hosts, "host")}`;
  const failed = states.filter(hasFailed).length;
  if (failed > 0) return palette.red(`${all}: the last run of ${failed} did not end well.`);
  const looks = states.filter(wantsALook).length;
  if (looks > 0) return palette.yellow(`${all}: look at ${looks} of them.`);
  return palette.green(`${all}: all last runs ended well.`);
}
