import type { FileProblem } from "@comeback/core";
import { displayWidth, wrapWords } from "./display-width.ts";
import type { Palette } from "./palette.ts";
import { printableText } from "./printable.ts";

/** Where it is, what it is, the line itself, and a mark below the part that is meant. */
export function renderFileProblem(
  problem: FileProblem,
  palette: Palette,
  columns: number,
): string[] {
  const { file, line, column, message, suggestion, excerpt } = problem;
  const meant = suggestion === undefined ? "" : `; did you mean "${suggestion}"?`;
  const lines = [palette.bold(`${printableText(file)}:${line}:${column}`)];
  lines.push(
    ...wrapWords(printableText(`${message}${meant}`), columns - 2).map((text) => `  ${text}`),
  );
  if (excerpt === undefined || excerpt.text.trim() === "") return lines;
  const margin = `  ${line} | `;
  const room = Math.max(20, columns - margin.length);
  // Of a long line, the part around the mark.
  const left = excerpt.start < room - 10 ? 0 : excerpt.start - 10;
  const shown = excerpt.text.slice(left, left + room);
  const before = displayWidth(printableText(shown.slice(0, excerpt.start - left)));
  const marked = shown.slice(excerpt.start - left, excerpt.start - left + excerpt.length);
  const mark = "^".repeat(Math.max(1, displayWidth(printableText(marked))));
  lines.push(`${palette.dim(margin)}${printableText(shown).trimEnd()}`);
  lines.push(`${" ".repeat(margin.length + before)}${palette.red(mark)}`);
  return lines;
}
