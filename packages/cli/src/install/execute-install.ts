import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { ComebackError, type CommandRunner } from "@comeback/core";
import type { InstallPlan } from "./plan-install.ts";

export interface ExecuteOptions {
  readonly commands: CommandRunner;
  readonly signal: AbortSignal;
}

/** Carries a plan out; what fails is told with what is done by then. */
export async function executeInstall(
  { before, files, after }: InstallPlan,
  { commands, signal }: ExecuteOptions,
): Promise<void> {
  const run = async (argv: readonly [string, ...string[]]): Promise<void> => {
    const { exitCode, lastWords } = await commands.run({ argv, signal });
    if (exitCode === 0) return;
    throw new ComebackError("command.failed", `${argv.join(" ")} failed`, {
      why: lastWords === "" ? `exit code ${exitCode}` : lastWords,
      next: "mend that, and run `comeback install` again: it goes on from what is there",
    });
  };
  for (const argv of before) await run(argv);
  for (const { path, text, change } of files) {
    if (change === "same") continue;
    if (text === undefined) await rm(path, { force: true });
    else await writeUnit(path, text);
  }
  for (const argv of after) await run(argv);
}

async function writeUnit(path: string, text: string): Promise<void> {
  const temporary = `${path}.comeback-new`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(temporary, text, { mode: 0o644 });
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new ComebackError("option.invalid", `${path} cannot be written`, {
      next: "run the command as root, or with --user",
      cause,
    });
  }
}
