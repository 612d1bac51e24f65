/** A program to run. No shell is involved: whoever wants one names it. */
export interface CommandRequest {
  /** The program and its arguments. Never a secret: everybody can see them. */
  readonly argv: readonly [string, ...string[]];
  /** Added to the environment; `undefined` takes a variable out. Secrets may go here. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly workingFolder?: string;
  /**
   * What it reads on standard input; nothing if not given. Where a stream rejects, the program is
   * stopped, and the call rejects with the same reason.
   */
  readonly input?: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** It is asked to end after so long (SIGTERM), and ended a little later. */
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
  /** Takes each line that it prints; with `stream`, only those of its standard error. */
  readonly onLine?: (line: string, from: "stdout" | "stderr") => void;
}

export interface CommandResult {
  /** `null` where a signal ended it. */
  readonly exitCode: number | null;
  readonly endedBy: string | null;
  readonly hasTimedOut: boolean;
  /** Up to COMMAND_OUTPUT_MAX_BYTES; more is an error. */
  readonly stdout: string;
  /** The last lines that it said, fit to be shown. */
  readonly lastWords: string;
}

/**
 * Runs programs of the operating system.
 *
 * - `run` resolves whatever the exit code is: what it means is the caller's to say. It rejects with
 *   `command.missing` where there is no such program, and with the signal's reason at an abort.
 * - `stream` yields the standard output as it comes and ends only once the program has ended well;
 *   otherwise it rejects with `command.failed`. Whoever stops reading stops the program.
 * - A program that was asked to end because its time was over has not ended well, whatever its exit
 *   code says.
 * - Both end only when the program has gone, its process group with it. The environment of a program
 *   holds none of our passwords unless the request says so.
 */
export interface CommandRunner {
  run(request: CommandRequest): Promise<CommandResult>;
  stream(request: CommandRequest): AsyncIterable<Uint8Array>;
}
