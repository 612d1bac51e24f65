import type { LoadedConfiguration, PlanSettings } from "@comeback/operations";
import { cutToWidth, displayWidth } from "../terminal/display-width.ts";
import { formatMany } from "../terminal/format-values.ts";
import { printableText } from "../terminal/printable.ts";
import { renderTable } from "../terminal/table.ts";

const CELL_COLUMNS_MAX = 24;

/** One line a plan, within 80 columns. */
export function renderPlans(plans: LoadedConfiguration["configuration"]["plans"]): string[] {
  const rows = Object.entries(plans).map(([name, plan]) => [
    cell(name),
    scheduleLines(plan),
    Object.keys(plan.sources).map(cell),
    destinationLines(plan),
  ]);
  const columns = ["Plan", "Schedule", "Sources", "Destinations"].map((title) => ({ title }));
  return renderTable(
    columns,
    rows.map((row) => row.map((lines) => (typeof lines === "string" ? lines : [...lines]))),
    formatMany(rows.length, "plan"),
  );
}

function cell(text: string): string {
  const shown = printableText(text);
  return displayWidth(shown) <= CELL_COLUMNS_MAX
    ? shown
    : `${cutToWidth(shown, CELL_COLUMNS_MAX - 1)}…`;
}

function scheduleLines({ schedule, enabled }: PlanSettings): string[] {
  if (!enabled) return ["off"];
  const { full, differential, incremental } = schedule?.triggers ?? {};
  const lines = [
    ...(full === undefined ? [] : [`full ${full}`]),
    ...(differential === undefined ? [] : [`diff ${differential}`]),
    ...(incremental === undefined ? [] : [incremental]),
  ];
  return lines.length === 0 ? ["by hand"] : lines.map(cell);
}

function destinationLines({ to, copies }: PlanSettings): string[] {
  return [...to, ...copies.map((copy) => `→ ${copy.to}`)].map(cell);
}
