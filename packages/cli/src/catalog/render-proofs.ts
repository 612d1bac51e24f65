import type { ProofRecord } from "@comeback/core";
import { shortenMiddle } from "../terminal/display-width.ts";
import { formatDuration } from "../terminal/format-values.ts";
import { colourOutcomes, outcomeText } from "../terminal/outcome-text.ts";
import type { Palette } from "../terminal/palette.ts";
import { printableText } from "../terminal/printable.ts";
import { type Column, renderTable } from "../terminal/table.ts";
import { localTime } from "./render-runs.ts";

const COLUMNS: readonly Column[] = [
  { title: "When" },
  { title: "Plan" },
  { title: "Destination" },
  { title: "Proof" },
  { title: "Took", align: "right" },
  { title: "Outcome" },
];
const NAME_COLUMNS_MAX = 14;
const TITLE_LINES = 2;

/** What was proven, and when, newest first; below the table what is not ok says why. */
export function renderProofs(proofs: readonly ProofRecord[], palette: Palette): string[] {
  if (proofs.length === 0) return ["nothing was proven yet"];
  const rows = proofs.map(({ atMs, plan, destination, kind, tookMs, outcome }) => [
    localTime(atMs).slice(0, "2026-11-28 02:00".length),
    shortenMiddle(printableText(plan), NAME_COLUMNS_MAX),
    shortenMiddle(printableText(destination), NAME_COLUMNS_MAX),
    kind,
    tookMs === undefined ? "" : formatDuration(tookMs),
    outcomeText(outcome),
  ]);
  const lines = renderTable(COLUMNS, rows);
  const outcomes = proofs.map(({ outcome }) => outcome);
  const bad = proofs.filter(({ outcome }) => outcome !== "ok");
  return [
    ...lines.slice(0, TITLE_LINES),
    ...colourOutcomes(lines.slice(TITLE_LINES), outcomes, palette),
    ...(bad.length === 0 ? [] : [""]),
    ...bad.map(({ atMs, message }) => `- ${localTime(atMs)}: ${printableText(message)}`),
  ];
}
