import type { RunOutcome } from "@comeback/core";
import type { Palette } from "./palette.ts";

/** One word; what has not ended yet is running. */
export function outcomeText(outcome: RunOutcome | undefined): string {
  return outcome ?? "running";
}

/** Red failed, yellow look at this, green good, dim did nothing. */
export function colourOutcome(text: string, outcome: RunOutcome | undefined, to: Palette): string {
  if (outcome === "ok") return to.green(text);
  if (outcome === "failed") return to.red(text);
  if (outcome === "warning") return to.yellow(text);
  return outcome === "skipped" ? to.dim(text) : to.bold(text);
}

/** As it stands in a table: a column takes no colour for text. */
export function outcomeCell(outcome: RunOutcome | undefined, palette: Palette): string {
  return colourOutcome(outcomeText(outcome), outcome, palette);
}
