import {
  type ByteString,
  byteStringFromText,
  ComebackError,
  type CommandRunner,
  displayText,
  isComebackError,
  type PinnedSource,
  type PinOptions,
  type ProtectedSource,
} from "@comeback/core";
import { placeOf, probeCommand, refuseEmpty, streamsSource } from "@comeback/source-streams";

export interface CommandOptions {
  readonly argv: readonly [string, ...string[]];
  /** The file's path in the snapshot. */
  readonly filename: string;
  /** Added to its environment, asked for before each run: it may hold secrets. */
  readonly environment?: (signal: AbortSignal) => Promise<Readonly<Record<string, string>>>;
  /** Exit codes that mean that all went well; 0 alone if not given. */
  readonly exitCodes?: readonly number[] | undefined;
  readonly timeoutMs?: number | undefined;
  readonly runner: CommandRunner;
}

/**
 * A program whose standard output is kept as one file. It runs when the file is read, and the whole
 * read fails where the program does (`command.failed`, `command.timeout`, `command.missing`), or
 * where it prints nothing (`backup.no-source`): there is no snapshot of half a dump.
 *
 * Throws `configuration.invalid` where the file name is none.
 */
export function protectCommand(options: CommandOptions): ProtectedSource {
  const path = placeOf(byteStringFromText(options.filename));
  if (path === "/") {
    throw new ComebackError("configuration.invalid", "filename: not the name of a file", {
      why: `"${options.filename}" names the top of the snapshot`,
      next: "name a file: dump.sql",
    });
  }
  return {
    kind: "command",
    paths: [],
    pinsMoment: false,
    async probe({ signal }) {
      const { argv, runner } = options;
      return [await probeCommand({ role: "the command", argv }, runner, signal)];
    },
    pin: (pin) => pinCommand(options, path, pin),
  };
}

async function pinCommand(
  options: CommandOptions,
  path: ByteString,
  { time, signal, onLine }: PinOptions,
): Promise<PinnedSource> {
  signal.throwIfAborted();
  const env = (await options.environment?.(signal)) ?? {};
  const source = streamsSource({
    time,
    files: [
      {
        path,
        content: () => ({
          kind: "stream",
          open: (reading) => refuseEmpty(output(options, { env, signal: reading, onLine }), name),
        }),
      },
    ],
  });
  const name = options.argv[0];
  return {
    source,
    items: [{ kind: "file", name: displayText(path) }],
    missing: () => [],
    async [Symbol.asyncDispose]() {
      // The program ends with whoever reads it.
    },
  };
}

interface Running {
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  onLine(line: string): void;
}

async function* output(
  { argv, exitCodes = [0], timeoutMs, runner }: CommandOptions,
  { env, signal, onLine }: Running,
): AsyncGenerator<Uint8Array> {
  let exitCode = 0;
  try {
    yield* runner.stream({
      argv,
      env,
      signal,
      onLine: (line) => onLine(line),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
  } catch (error) {
    const code = isComebackError(error, "command.failed") ? error.context["exitCode"] : undefined;
    if (typeof code !== "number" || !exitCodes.includes(code)) throw error;
    exitCode = code;
  }
  if (exitCodes.includes(exitCode)) return;
  throw new ComebackError("command.failed", `${argv[0]} failed`, {
    why: `exit code ${exitCode}, where ${exitCodes.join(" or ")} means that all went well`,
    next: "look at what it printed; no snapshot was made",
    context: { exitCode },
  });
}
