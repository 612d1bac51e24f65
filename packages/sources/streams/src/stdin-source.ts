import { type ByteString, ComebackError, type Instant, type Source } from "@comeback/core";
import { commandOutput } from "./command-output.ts";
import { oneFileSource } from "./one-file-source.ts";
import { refuseEmpty } from "./refuse-empty.ts";

export type StdinSourceOptions = {
  /** The file's place in the snapshot; default `stdin`. */
  readonly filename?: ByteString;
  /** The time of the backup. */
  readonly time: Instant;
  /** Gives the bytes; default: standard input. */
  readonly open?: (signal: AbortSignal) => AsyncIterable<Uint8Array>;
};

/**
 * One file with what comes through standard input. No input at all is an error: a dump that failed
 * before its first byte must not become an empty snapshot.
 */
export function stdinSource(options: StdinSourceOptions): Source {
  const open = options.open ?? standardInput;
  return oneFileSource({
    filename: options.filename ?? "stdin",
    time: options.time,
    content: {
      kind: "stream",
      open: (signal) => refuseEmpty(open(signal), "standard input"),
    },
  });
}

export type CommandSourceOptions = {
  /** The program and its arguments; no shell is involved. */
  readonly command: readonly string[];
  readonly filename?: ByteString;
  readonly time: Instant;
  /** Takes each line the command writes to its standard error; default: it goes to ours. */
  readonly onErrorLine?: (line: string) => void;
};

/**
 * One file with what a command writes to its standard output. The stream rejects where the command
 * fails, at its very end at the latest, so that no snapshot of half a dump is written.
 */
export function commandSource(options: CommandSourceOptions): Source {
  const { command, onErrorLine } = options;
  const [program] = command;
  if (program === undefined || program === "") {
    throw new ComebackError("option.invalid", "--stdin-from-command: no command was named", {
      next: "write the command and its arguments behind --",
    });
  }
  return oneFileSource({
    filename: options.filename ?? "stdin",
    time: options.time,
    content: {
      kind: "stream",
      open: (signal) => refuseEmpty(commandOutput({ command, onErrorLine, signal }), program),
    },
  });
}

async function* standardInput(signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const chunk of process.stdin) {
    signal.throwIfAborted();
    yield chunk as Buffer;
  }
}
