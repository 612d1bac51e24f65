import { execFile } from "node:child_process";

/** A restic on this machine, and what it calls itself. */
export interface FoundRestic {
  readonly version: string;
}

/** What a restic said of a repository of ours. */
export interface ResticVerdict {
  readonly ok: boolean;
  /** Its last words. */
  readonly lastLine: string;
}

const OUTPUT_MAX_BYTES = 16 * 1024 * 1024;

interface Output {
  readonly exitCode: number | undefined;
  readonly text: string;
}

function runRestic(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Output> {
  return new Promise((resolve, reject) => {
    const options = { env, signal, maxBuffer: OUTPUT_MAX_BYTES, encoding: "utf8" } as const;
    execFile("restic", args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      if (signal.aborted) reject(signal.reason as Error);
      else
        resolve({ exitCode: typeof code === "number" ? code : undefined, text: stdout + stderr });
    });
  });
}

/** The restic on PATH, if there is one. */
export async function findRestic(
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<FoundRestic | undefined> {
  const { exitCode, text } = await runRestic(["version"], env, signal);
  const version = /^restic (\d+\.\d+\.\d+\S*)/.exec(text)?.[1];
  return exitCode === 0 && version !== undefined ? { version } : undefined;
}

/** Has restic read and verify everything in a repository. */
export async function checkWithRestic(
  repository: { readonly location: string; readonly password: string },
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<ResticVerdict> {
  const own = Object.entries(env).filter(([name]) => !name.startsWith("RESTIC_"));
  const { exitCode, text } = await runRestic(
    ["--repo", repository.location, "--no-cache", "check", "--read-data"],
    { ...Object.fromEntries(own), RESTIC_PASSWORD: repository.password },
    signal,
  );
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return { ok: exitCode === 0, lastLine: lines.at(-1) ?? `exit code ${exitCode ?? "unknown"}` };
}
