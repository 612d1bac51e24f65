import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  ComebackError,
  REPLICATE_LINE_MAX_CHARS,
  REPLICATE_STDERR_MAX_BYTES,
} from "@comeback/core";

/** A program that moves or lists files for us. */
export interface Helper {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What it reads on its standard input, made piece by piece. */
  readonly input: Iterable<string>;
  readonly signal: AbortSignal | undefined;
  /** Takes its standard output. */
  onChunk(chunk: Buffer): void;
}

export interface HelperEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines that it said, fit to be shown. */
  readonly said: string;
}

/** Runs it to its end. Rejects where it could not be started, or at an abort, once it is gone. */
export async function runHelper(helper: Helper): Promise<HelperEnd> {
  const { program, signal } = helper;
  signal?.throwIfAborted();
  const child = spawn(program, helper.args, { env: helper.env, stdio: ["pipe", "pipe", "pipe"] });
  const ended = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  const onAbort = (): void => {
    child.kill("SIGTERM");
  };
  signal?.addEventListener("abort", onAbort);
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr = (stderr + chunk.toString("utf8")).slice(-REPLICATE_STDERR_MAX_BYTES);
  });
  try {
    const [[exitCode, endSignal]] = await Promise.all([
      ended,
      feed(child, helper.input),
      consume(child, helper),
    ]);
    signal?.throwIfAborted();
    return { exitCode, signal: endSignal, said: lastLines(stderr) };
  } catch (error) {
    signal?.throwIfAborted();
    child.kill("SIGKILL");
    throw (error as NodeJS.ErrnoException).syscall?.startsWith("spawn") === true
      ? missing(program, error)
      : error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

/** A program may end before it has read everything: its exit code says whether that is right. */
async function feed(child: ChildProcessWithoutNullStreams, input: Iterable<string>): Promise<void> {
  await pipeline(Readable.from(input), child.stdin).catch(() => undefined);
}

async function consume(child: ChildProcessWithoutNullStreams, helper: Helper): Promise<void> {
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) helper.onChunk(chunk);
}

/** Cuts what comes into lines; one beyond the bound is an error of who printed it. */
export class LineReader {
  readonly #onLine: (line: string) => void;
  readonly #who: string;
  readonly #decoder = new TextDecoder();
  #rest = "";

  constructor(who: string, onLine: (line: string) => void) {
    this.#who = who;
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#onLine(line);
    if (this.#rest.length <= REPLICATE_LINE_MAX_CHARS) return;
    throw new ComebackError("command.failed", `${this.#who} printed a line that has no end`, {
      next: "see that it prints its answer line by line",
    });
  }

  end(): void {
    if (this.#rest !== "") this.#onLine(this.#rest);
    this.#rest = "";
  }
}

function missing(program: string, cause: unknown): ComebackError {
  const next = program === "rsync" ? "install it: `apt install rsync`" : "check --to";
  return new ComebackError("backend.program-missing", `the program ${program} cannot be run`, {
    why: "there is no such program, or it may not be run",
    next,
    cause,
  });
}

function lastLines(stderr: string): string {
  const lines = stderr
    .split("\n")
    .map((line) => line.replaceAll(/[\p{Cc}\p{Cf}]+/gu, " ").trim())
    // rsync ends with a line that repeats its exit code, and where in its sources it gave up.
    .filter((line) => line !== "" && !/^rsync(?: error|: connection unexpectedly)/.test(line));
  return lines.slice(-3).join(" / ").slice(0, 400);
}
