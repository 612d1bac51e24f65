import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** A program that has ended, however it did. */
export interface Finished {
  /** `null` where a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
  /** All of the above, for a failed assertion. */
  describe(): string;
}

/** A program that may still run. */
export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly finished: Promise<Finished>;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What it reads on its standard input; by default nothing. */
  readonly input?: Uint8Array | string;
  /** It leads a process group of its own, to which a test may send signals as a terminal does. */
  readonly ownGroup?: boolean;
  /** The test writes its standard input, and ends it. */
  readonly inputStaysOpen?: boolean;
  /** A server runs until the test ends it. */
  readonly mayRunOn?: boolean;
}

/** Nothing that is tested takes this long: what does has hung, and is killed. */
const HANG_MS = 180_000;
const SHOWN_OUTPUT_CHARS = 6_000;

export function startProgram(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Running {
  const { cwd, env, input = "" } = options;
  const child = spawn(command, args, {
    ...(cwd === undefined ? {} : { cwd }),
    detached: options.ownGroup ?? false,
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  // A program may end before it has read everything.
  child.stdin.on("error", () => {});
  if (options.inputStaysOpen !== true) child.stdin.end(input);
  const shown = [command, ...args].join(" ");
  return { child, pid: child.pid ?? 0, finished: gather(child, shown, options) };
}

async function gather(child: ChildProcess, shown: string, options: RunOptions): Promise<Finished> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
  let hung = false;
  const kill = (): void => {
    hung = true;
    child.kill("SIGKILL");
  };
  const timer = options.mayRunOn === true ? undefined : setTimeout(kill, HANG_MS);
  const [exitCode, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  const output = { stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString("utf8") };
  const describe = (): string =>
    [
      `${shown}\nended with ${signal ?? exitCode}`,
      `stdout: ${output.stdout.toString("utf8", 0, SHOWN_OUTPUT_CHARS)}`,
      `stderr: ${output.stderr.slice(0, SHOWN_OUTPUT_CHARS)}`,
    ].join("\n");
  if (hung) throw new Error(`it hung, and was killed after ${HANG_MS} ms: ${describe()}`);
  return { exitCode, signal, ...output, describe };
}
