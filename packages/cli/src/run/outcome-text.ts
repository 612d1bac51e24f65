import type { RunOutcome } from "@comeback/core";
import type { Palette } from "../terminal/palette.ts";

/** An outcome in the colour that says what to think of it, padded to stand in a column. */
export function outcomeText(outcome: RunOutcome, palette: Palette, width = 0): string {
  const text = outcome.padEnd(width);
  if (outcome === "failed") return palette.red(text);
  if (outcome === "warning") return palette.yellow(text);
  return outcome === "ok" ? palette.green(text) : palette.dim(text);
}
