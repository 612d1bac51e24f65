import { type ChildProcess, spawn } from "node:child_process";
import type { Writable } from "node:stream";
import {
  COMMAND_LAST_WORDS_MAX_BYTES,
  COMMAND_LINE_MAX_CHARS,
  COMMAND_OUTPUT_MAX_BYTES,
  COMMAND_STOP_MS,
  ComebackError,
  type CommandRequest,
  type CommandResult,
  type CommandRunner,
  messageOf,
} from "@comeback/core";

/** No program that we call has any business with the repository's password. */
const SECRET_NAME = /^(?:COMEBACK|RESTIC)_(?:\w+_)?PASSWORD/;

export function withoutPasswords(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !SECRET_NAME.test(name)));
}

function environmentFor({ env = {} }: CommandRequest): NodeJS.ProcessEnv {
  return { ...withoutPasswords(process.env), ...env };
}

/** One running program and its process group. */
class RunningCommand implements Disposable {
  readonly child: ChildProcess;
  readonly #request: CommandRequest;
  readonly #ended: Promise<[number | null, string | null]>;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #onAbort = (): void => this.stop();
  #said = "";
  #inputFailure: { readonly reason: unknown } | undefined;
  hasTimedOut = false;

  constructor(request: CommandRequest) {
    const { argv, signal, timeoutMs, workingFolder } = request;
    const [program, ...args] = argv;
    this.#request = request;
    this.child = spawn(program, args, {
      env: environmentFor(request),
      stdio: [request.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      // A group of its own: what the program started ends with it.
      detached: true,
      ...(workingFolder === undefined ? {} : { cwd: workingFolder }),
    });
    this.#ended = endOf(this.child, program);
    this.#ended.catch(() => undefined);
    signal.addEventListener("abort", this.#onAbort);
    if (timeoutMs !== undefined) {
      const timer = setTimeout(() => {
        this.hasTimedOut = true;
        this.stop();
      }, timeoutMs);
      this.#timers.push(timer);
    }
    void this.#write(request.input);
    this.readLines("stderr");
  }

  /** Hears what it prints, line by line; of one without an end, only the beginning. */
  readLines(from: "stdout" | "stderr"): void {
    let rest = "";
    const decoder = new TextDecoder();
    const { onLine } = this.#request;
    this.child[from]!.on("data", (chunk: Buffer) => {
      const text = decoder.decode(chunk, { stream: true });
      if (from === "stderr") {
        this.#said = (this.#said + text).slice(-COMMAND_LAST_WORDS_MAX_BYTES);
      }
      const lines = (rest + text).split("\n");
      rest = (lines.pop() ?? "").slice(0, COMMAND_LINE_MAX_CHARS);
      for (const line of lines) onLine?.(line, from);
    });
    this.child[from]!.on("end", () => {
      if (rest !== "") onLine?.(rest, from);
    });
  }

  async #write(input: CommandRequest["input"]): Promise<void> {
    const { stdin } = this.child;
    if (stdin === null || input === undefined) return;
    // A program may end before it has read everything: its exit code says whether that is right.
    stdin.on("error", () => undefined);
    if (typeof input === "string" || input instanceof Uint8Array) {
      stdin.end(input);
      return;
    }
    try {
      for await (const chunk of input) {
        if (!stdin.writable) return;
        if (!stdin.write(chunk)) await canGoOn(stdin);
      }
      stdin.end();
    } catch (reason) {
      this.#inputFailure = { reason };
      // Its input stays open until it has gone: it must not take this for the end of all.
      this.stop();
    }
  }

  async ended(): Promise<Omit<CommandResult, "stdout">> {
    const [exitCode, endedBy] = await this.#ended;
    this.#request.signal.throwIfAborted();
    if (this.#inputFailure !== undefined) throw this.#inputFailure.reason;
    return { exitCode, endedBy, hasTimedOut: this.hasTimedOut, lastWords: lastLines(this.#said) };
  }

  /** Asks the group to end, and ends it where it does not. */
  stop(): void {
    if (!this.#signalGroup("SIGTERM")) return;
    this.#timers.push(setTimeout(() => this.#signalGroup("SIGKILL"), COMMAND_STOP_MS));
  }

  #signalGroup(name: "SIGTERM" | "SIGKILL"): boolean {
    const { pid } = this.child;
    if (pid === undefined) return false;
    try {
      return process.kill(-pid, name);
    } catch {
      // It has gone by itself.
      return false;
    }
  }

  [Symbol.dispose](): void {
    this.#request.signal.removeEventListener("abort", this.#onAbort);
    for (const timer of this.#timers) clearTimeout(timer);
  }

  /** Resolves when it has gone, however it ended. */
  async gone(): Promise<void> {
    await this.#ended.catch(() => undefined);
  }
}

/** Resolves when there is room again, or nobody reads any more. */
function canGoOn(stdin: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stdin.off("drain", done).off("close", done);
      resolve();
    };
    stdin.on("drain", done).on("close", done);
  });
}

function endOf(child: ChildProcess, program: string): Promise<[number | null, string | null]> {
  return new Promise((resolve, reject) => {
    child.once("error", (error) => reject(cannotRun(program, error)));
    child.once("close", (code, endedBy) => resolve([code, endedBy]));
  });
}

function cannotRun(program: string, cause: Error): ComebackError {
  const { code } = cause as NodeJS.ErrnoException;
  const isMissing = code === "ENOENT" || code === "EACCES";
  return new ComebackError("command.missing", `the program ${program} cannot be run`, {
    why: isMissing ? "there is no such program, or it may not be run" : messageOf(cause),
    next: "install it, or write its whole path",
    cause,
  });
}

function lastLines(said: string): string {
  const lines = said
    .split("\n")
    .map((line) => line.replaceAll(/[\p{Cc}\p{Cf}]+/gu, " ").trim())
    .filter((line) => line !== "");
  return lines.slice(-3).join(" / ").slice(-400);
}

async function run(request: CommandRequest): Promise<CommandResult> {
  request.signal.throwIfAborted();
  using running = new RunningCommand(request);
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  running.child.stdout!.on("data", (chunk: Buffer) => {
    sizeBytes += chunk.length;
    if (sizeBytes <= COMMAND_OUTPUT_MAX_BYTES) chunks.push(chunk);
    else running.stop();
  });
  if (request.onLine !== undefined) running.readLines("stdout");
  const end = await running.ended();
  if (sizeBytes > COMMAND_OUTPUT_MAX_BYTES) {
    throw new ComebackError("command.failed", `${request.argv[0]} printed more than was expected`, {
      why: `its output is larger than ${COMMAND_OUTPUT_MAX_BYTES} bytes`,
    });
  }
  return { ...end, stdout: Buffer.concat(chunks).toString("utf8") };
}

async function* stream(request: CommandRequest): AsyncGenerator<Uint8Array> {
  request.signal.throwIfAborted();
  const [program] = request.argv;
  using running = new RunningCommand(request);
  try {
    for await (const chunk of running.child.stdout!) yield chunk as Buffer;
    const { exitCode, endedBy, hasTimedOut, lastWords } = await running.ended();
    if (exitCode === 0 && !hasTimedOut) return;
    throw new ComebackError(
      hasTimedOut ? "command.timeout" : "command.failed",
      `${program} failed`,
      {
        why: `${endedBy === null ? `exit code ${exitCode}` : `it was ended by ${endedBy}`}${lastWords === "" ? "" : `: ${lastWords}`}`,
        context: exitCode === null ? {} : { exitCode },
      },
    );
  } finally {
    running.stop();
    await running.gone();
  }
}

/** Runs programs of this machine. */
export const systemCommandRunner: CommandRunner = { run, stream };
