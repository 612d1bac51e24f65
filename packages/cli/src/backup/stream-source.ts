import type { Instant, Source } from "@comeback/core";
import { commandSource, stdinSource } from "@comeback/source-streams";
import { bytesOfArgument } from "../options/argument-bytes.ts";
import { badUsage } from "../options/option-error.ts";
import { printableText } from "../terminal/printable.ts";
import type { Terminal } from "../terminal/terminal.ts";

export interface StreamWish {
  readonly fromCommand: boolean;
  /** The command, or paths that have no place here. */
  readonly words: readonly string[];
  readonly filename: string;
  readonly time: Instant;
  /** Options that read lists of files, as far as they were given. */
  readonly listFiles: readonly string[];
}

/** The source of --stdin and --stdin-from-command: one file out of a stream. */
export function streamSource(wish: StreamWish, terminal: Terminal): Source {
  const { fromCommand, words, time } = wish;
  if (wish.listFiles.length > 0) {
    throw badUsage("--stdin and --files-from do not go together", "leave one of them out");
  }
  if (!fromCommand && words.length > 0) {
    throw badUsage(
      "--stdin was given, and paths as well",
      "back them up one after the other, or use --stdin-from-command for a command",
    );
  }
  const filename = bytesOfArgument(wish.filename);
  if (!fromCommand) return stdinSource({ filename, time });
  return commandSource({
    command: words,
    filename,
    time,
    onErrorLine: (line) => terminal.printError(printableText(line)),
  });
}
