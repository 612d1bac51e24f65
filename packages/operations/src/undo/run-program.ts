import { ComebackError, type CommandResult } from "@comeback/core";
import type { ActionServices } from "./undo-services.ts";
import type { TextOrSecret } from "./undo-step.ts";

export interface Program {
  readonly argv: readonly [string, ...string[]];
  readonly environment?: Readonly<Record<string, TextOrSecret>> | undefined;
  readonly input?: string | undefined;
  readonly timeoutMs: number;
}

const SHOWN_MAX_CHARS = 120;

/** For people: one line, cut where it is long. */
export function describeProgram([program, ...args]: readonly [string, ...string[]]): string {
  const line = program === "/bin/sh" && args[0] === "-c" ? (args[1] ?? "") : [program, ...args];
  const text = (typeof line === "string" ? line : line.join(" ")).replaceAll(/\s+/g, " ").trim();
  return text.length > SHOWN_MAX_CHARS ? `${text.slice(0, SHOWN_MAX_CHARS - 1)}…` : text;
}

/** Runs it to its end, whatever its exit code; secrets go only into its environment. */
export async function runProgram(
  { argv, environment = {}, input, timeoutMs }: Program,
  { runner, resolveSecret }: ActionServices,
  signal: AbortSignal,
): Promise<CommandResult> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    env[name] = typeof value === "string" ? value : await resolveSecret(value, signal);
  }
  const given = input === undefined ? {} : { input };
  return runner.run({ argv, env, timeoutMs, signal, ...given });
}

/** The same, and rejects where it does not end well. */
export async function runProgramWell(
  program: Program,
  services: ActionServices,
  signal: AbortSignal,
): Promise<CommandResult> {
  const result = await runProgram(program, services, signal);
  if (result.exitCode === 0 && !result.hasTimedOut) return result;
  throw programFailed(program, result);
}

export function programFailed({ argv, timeoutMs }: Program, result: CommandResult): ComebackError {
  const { exitCode, endedBy, hasTimedOut, lastWords } = result;
  const how = hasTimedOut
    ? `it had not ended after ${timeoutMs / 1000} s`
    : endedBy === null
      ? `exit code ${exitCode}`
      : `it was ended by ${endedBy}`;
  return new ComebackError(
    hasTimedOut ? "command.timeout" : "command.failed",
    `\`${describeProgram(argv)}\` failed`,
    {
      why: lastWords === "" ? how : `${how}: ${lastWords}`,
      next: "run it by hand to see what it says",
      context: exitCode === null ? {} : { exitCode },
    },
  );
}
