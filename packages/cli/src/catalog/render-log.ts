import type { LogRecord } from "@comeback/core";
import type { Palette } from "../terminal/palette.ts";
import { printableText } from "../terminal/printable.ts";
import { wrapWords } from "../terminal/display-width.ts";
import { localTime } from "./render-runs.ts";

const HANGING = "         ";

/**
 * A line of a run's log: when, of what, and the text. On a terminal it is wrapped to its columns;
 * elsewhere it stays one line, so that `grep` finds what it is about.
 */
export function renderLogLine(
  line: LogRecord,
  palette: Palette,
  columns: number | undefined,
): string[] {
  const { atMs, level, stage, subject } = line;
  const time = localTime(atMs).slice("2026-11-28 ".length);
  const about = [stage, subject].filter((part) => part !== undefined).join(" ");
  const mark = level === "warning" || level === "error" ? `${level}: ` : "";
  const text = printableText(`${about === "" ? "" : `${about}: `}${mark}${line.text}`);
  const parts = columns === undefined ? [text] : wrapWords(text, columns - HANGING.length);
  const colour = colourOf(level, palette);
  return parts.map(
    (part, place) => (place === 0 ? palette.dim(time) + " " : HANGING) + colour(part),
  );
}

function colourOf(level: LogRecord["level"], palette: Palette): (text: string) => string {
  if (level === "error") return palette.red;
  if (level === "warning") return palette.yellow;
  return level === "debug" ? palette.dim : (text) => text;
}
