import type { ProofRecord } from "@comeback/core";
import { shortenMiddle } from "../terminal/display-width.ts";
import { formatDuration } from "../terminal/format-values.ts";
import { outcomeCell } from "../terminal/outcome-text.ts";
import type { Palette } from "../terminal/palette.ts";
import { printableText } from "../terminal/printable.ts";
import { type Column, renderTable } from "../terminal/table.ts";
import { localMinute, localTime } from "./render-runs.ts";

const COLUMNS: readonly Column[] = [
  { title: "When" },
  { title: "Plan" },
  { title: "Destination" },
  { title: "Proof" },
  { title: "Took", align: "right" },
  { title: "Outcome" },
];
const NAME_COLUMNS_MAX = 14;

/** What was proven, and when, newest first; below the table what is not ok says why. */
export function renderProofs(proofs: readonly ProofRecord[], palette: Palette): string[] {
  if (proofs.length === 0) return ["nothing was proven yet"];
  const rows = proofs.map(({ atMs, plan, destination, kind, tookMs, outcome }) => [
    localMinute(atMs),
    shortenMiddle(printableText(plan), NAME_COLUMNS_MAX),
    shortenMiddle(printableText(destination), NAME_COLUMNS_MAX),
    kind,
    tookMs === undefined ? "" : formatDuration(tookMs),
    outcomeCell(outcome, palette),
  ]);
  const bad = proofs.filter(({ outcome }) => outcome !== "ok");
  return [
    ...renderTable(COLUMNS, rows),
    ...(bad.length === 0 ? [] : [""]),
    ...bad.map(({ atMs, message }) => `- ${localTime(atMs)}: ${printableText(message)}`),
  ];
}
