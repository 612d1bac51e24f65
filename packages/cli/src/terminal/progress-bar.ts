import { formatPercent } from "./format-values.ts";
import { displayWidth, padEndTo, shortenMiddle } from "./display-width.ts";

const BAR_COLUMNS_MAX = 24;
const BAR_COLUMNS_MIN = 8;

/** `[=======>--------]  45%` for a share of one; `undefined` draws a bar without an end. */
export function renderBar(share: number | undefined, columns: number): string {
  const width = Math.max(BAR_COLUMNS_MIN, Math.min(BAR_COLUMNS_MAX, Math.floor(columns / 4)));
  if (share === undefined) return `[${"·".repeat(width)}]`;
  const clamped = Math.max(0, Math.min(1, share));
  const filled = Math.floor(clamped * width);
  const head = filled < width && filled > 0 ? `${"=".repeat(filled - 1)}>` : "=".repeat(filled);
  return `[${padEndTo(head, width).replaceAll(" ", "-")}] ${formatPercent(clamped).padStart(4)}`;
}

/** Parts with two spaces between them, dropping the last ones that do not fit. */
export function joinFitting(parts: readonly string[], columns: number): string {
  let line = "";
  for (const part of parts.filter((text) => text !== "")) {
    const longer = line === "" ? part : `${line}  ${part}`;
    if (line !== "" && displayWidth(longer) > columns) break;
    line = longer;
  }
  return line;
}

/** A line that ends with a name, which gets the room that is left. */
export function lineWithName(start: string, name: string, columns: number): string {
  if (name === "") return start;
  const room = columns - displayWidth(start) - 2;
  return room < 8 ? start : `${start}  ${shortenMiddle(name, room)}`;
}
