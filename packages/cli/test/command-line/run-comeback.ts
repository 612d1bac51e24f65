import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The real launcher, as a user's shell would start it: as it is published where `scripts/test.ts` has
 * built it, otherwise from the sources.
 */
export const COMEBACK: string =
  process.env["COMEBACK_UNDER_TEST"] ??
  fileURLToPath(new URL("../../bin/comeback", import.meta.url));
export const PASSWORD = "correct horse";

export interface Outcome {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly input?: string;
}

/** An environment without anybody's own settings, but with the password and UTC. */
export function cleanEnvironment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(RESTIC|COMEBACK)_/.test(name));
  return { ...Object.fromEntries(own), TZ: "UTC", COMEBACK_PASSWORD: PASSWORD, ...more };
}

/** Runs a command line to its end. */
export function runComeback(args: readonly string[], options: RunOptions = {}): Outcome {
  const { status, stdout, stderr } = spawnSync(COMEBACK, args, {
    env: cleanEnvironment(options.env),
    cwd: options.cwd,
    input: options.input ?? "",
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  return { exitCode: status, stdout, stderr };
}

/** Runs a shell script, to which the program is `$0`. */
export function runShell(script: string, ...args: string[]): Outcome {
  const { status, stdout, stderr } = spawnSync("/bin/sh", ["-c", script, COMEBACK, ...args], {
    env: cleanEnvironment(),
    encoding: "utf8",
  });
  return { exitCode: status, stdout, stderr };
}

/** Starts a command line that the test will talk to or stop. */
export function startComeback(
  args: readonly string[],
  options: RunOptions = {},
): {
  readonly child: ReturnType<typeof spawn>;
  readonly ended: Promise<Outcome>;
} {
  const child = spawn(COMEBACK, args, { env: cleanEnvironment(options.env), cwd: options.cwd });
  let stdout = "";
  let stderr = "";
  // Whoever is stopped does not read on.
  child.stdin.on("error", () => {});
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
  const ended = new Promise<Outcome>((resolve) => {
    child.on("close", (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
  return { child, ended };
}

/** A folder for one test file; it is removed at the end. */
export class ScratchFolder implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), "comeback-cli-test-"));

  at(name: string): string {
    return join(this.path, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** The JSON lines of an output. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
