import type { RetentionSimulation, SimulatedDestination } from "@comeback/operations";
import { wrapWords } from "../terminal/display-width.ts";
import { formatCount, formatMany } from "../terminal/format-values.ts";
import type { Palette } from "../terminal/palette.ts";
import { printableText } from "../terminal/printable.ts";
import { type Column, renderTable } from "../terminal/table.ts";

const COLUMNS_MAX = 80;
/** What stands before the rules that keep a snapshot. */
const REASON_COLUMNS = 46;

/** A preview within 80 columns: for each destination week by week, and what is left at the end. */
export function renderSimulation(simulation: RetentionSimulation, palette: Palette): string[] {
  const { plan, fromMs, untilMs, runs, destinations, replicas, timezone } = simulation;
  const day = dayFormat(timezone);
  const head = `${printableText(plan)}: ${formatMany(runs, "run")} from ${day(fromMs)} to ${day(untilMs)} (${timezone})`;
  return [
    ...wrapWords(palette.bold(head), COLUMNS_MAX),
    "each at its moment and well, on paper only",
    ...destinations.flatMap((destination) => [
      "",
      ...renderPlace(destination, simulation, palette),
    ]),
    ...replicas.map(({ destination, from }) => `\n${destination} is kept as ${from} is`),
  ];
}

const WEEK_COLUMNS: readonly Column[] = [
  { title: "Week of" },
  { title: "Made", align: "right" },
  { title: "Removed", align: "right" },
  { title: "Kept", align: "right" },
];

function renderPlace(
  { destination, sources, hasRules, weeks, kept }: SimulatedDestination,
  { timezone }: RetentionSimulation,
  palette: Palette,
): string[] {
  const each = sources.length === 1 ? sources[0]! : `each of ${sources.join(", ")}`;
  const rules = hasRules ? "" : "; no rule removes anything";
  const title = `${destination}, ${each}: ${formatMany(kept.length, "snapshot")} at the end${rules}`;
  const rows = weeks.map(({ week, ...counts }) => [
    week,
    formatCount(counts.made),
    formatCount(counts.removed),
    formatCount(counts.kept),
  ]);
  return [
    ...wrapWords(printableText(title), COLUMNS_MAX).map(palette.bold),
    ...(rows.length === 0 ? [] : renderTable(WEEK_COLUMNS, rows)),
    ...(hasRules ? ["", ...renderKept(kept, timezone)] : []),
  ];
}

function renderKept(kept: SimulatedDestination["kept"], timezone: string): string[] {
  const day = dayFormat(timezone);
  const time = new Intl.DateTimeFormat("en-GB", {
    timeZone: timezone,
    hour: "2-digit",
    minute: "2-digit",
  });
  const isThere = kept.some((snapshot) => snapshot.isThere);
  const columns = ["Kept", "Type", "Because of", ...(isThere ? ["There"] : [])];
  const rows = kept.map((snapshot) => [
    `${day(snapshot.atMs)} ${time.format(snapshot.atMs)}`,
    snapshot.type,
    wrapWords(reasonsText(snapshot.reasons), REASON_COLUMNS - (isThere ? 7 : 0)),
    ...(isThere ? [snapshot.isThere ? "yes" : ""] : []),
  ]);
  return renderTable(
    columns.map((title) => ({ title })),
    rows,
  );
}

function reasonsText(reasons: readonly string[]): string {
  return printableText(reasons.map((reason) => reason.replace(/ snapshot$/, "")).join(", "));
}

function dayFormat(timezone: string): (atMs: number) => string {
  const parts = { year: "numeric", month: "2-digit", day: "2-digit" } as const;
  const format = new Intl.DateTimeFormat("en-CA", { timeZone: timezone, ...parts });
  return (atMs) => format.format(atMs);
}
