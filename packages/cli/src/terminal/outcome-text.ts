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

/**
 * Colours the outcome at the end of each row of a table. Before, it would count as text and make the
 * column wider.
 */
export function colourOutcomes(
  rows: readonly string[],
  outcomes: readonly (RunOutcome | undefined)[],
  palette: Palette,
): string[] {
  return rows.map((row, place) => {
    if (place >= outcomes.length) return row;
    const outcome = outcomes[place];
    const text = outcomeText(outcome);
    if (!row.endsWith(text)) return row;
    return row.slice(0, -text.length) + colourOutcome(text, outcome, palette);
  });
}
