import { type ByteString, displayText } from "@comeback/core";
import { formatCount, formatMany } from "./format-values.ts";
import type { Palette } from "./palette.ts";
import { printableName, printableText } from "./printable.ts";

/** Problems that a summary names; the rest is counted. */
const NAMED_MAX = 10;

/** Something that went wrong with one entry, while everything else went on. */
export interface EntryProblem {
  readonly path: ByteString;
  readonly message: string;
}

/** One line, printed when it happens. */
export function renderProblem({ path, message }: EntryProblem, palette: Palette): string {
  return `${palette.yellow("warning:")} ${printableName(path)}: ${printableText(message)}`;
}

/** restic's error message; it goes to stderr. */
export function problemMessage({ path, message }: EntryProblem, during: string): string {
  return JSON.stringify({
    message_type: "error",
    error: { message },
    during,
    item: displayText(path),
  });
}

/** The end of a summary: what went wrong, by name as far as there is room. */
export function renderProblemList(
  title: string,
  problems: readonly EntryProblem[],
  count: number,
): string[] {
  if (count === 0) return [];
  const named = problems.slice(0, NAMED_MAX);
  const rest = count - named.length;
  return [
    title,
    ...named.map(({ path, message }) => `  ${printableName(path)}: ${printableText(message)}`),
    ...(rest === 0 ? [] : [`  and ${rest === 1 ? "one more" : `${formatCount(rest)} more`}`]),
  ];
}

/** `1 entry was`, `3 entries were`. */
export function entriesWere(count: number): string {
  return `${formatMany(count, "entry", "entries")} ${count === 1 ? "was" : "were"}`;
}
