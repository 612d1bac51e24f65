import { formatCount } from "../terminal/format-values.ts";
import { printableText } from "../terminal/printable.ts";
import type { CommandContext } from "../context.ts";
import { shortId } from "./render-snapshots.ts";

/** Failures that are named; the rest is counted. */
const NAMED_MAX = 10;

/** Names the snapshots that something could not be done to. In JSON the error alone says it. */
export function reportFailures(
  { terminal, globals }: CommandContext,
  failed: readonly { readonly id: string; readonly message: string }[],
): void {
  if (globals.json) return;
  const { yellow } = terminal.errorPalette;
  for (const { id, message } of failed.slice(0, NAMED_MAX)) {
    terminal.printError(`${yellow("warning:")} snapshot ${shortId(id)}: ${printableText(message)}`);
  }
  const more = failed.length - NAMED_MAX;
  if (more > 0) terminal.printError(`${yellow("warning:")} and ${formatCount(more)} more`);
}
