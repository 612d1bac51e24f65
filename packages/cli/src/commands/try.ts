import { mkdtempSync, realpathSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type ByteString, byteStringFromText, ComebackError, ExitCode } from "@comeback/core";
import type { CommandContext } from "../context.ts";
import { bytesOfArgument } from "../options/argument-bytes.ts";
import type { CommandModule } from "../program.ts";
import { printableName } from "../terminal/printable.ts";
import { removeTree } from "../try/remove-tree.ts";
import {
  renderTrialHead,
  renderTrialStep,
  renderVerdict,
  trialMessage,
  type TrialStep,
} from "../try/render-trial.ts";
import { Trial } from "../try/trial.ts";
import { VERSION } from "../version.ts";

interface TryFlags {
  readonly folder?: string;
  readonly keep?: true;
}

const DESCRIPTION = `See the whole job done, and proven, in a throwaway repository.

Backs up a folder (DIR, or data made for the purpose), changes some of it, backs
up again, damages it, restores it in place and elsewhere, compares every byte and
attribute, and reads and verifies all that is stored, with restic as well if it
is installed. DIR is only read: changes and damage happen to data made beside it.`;

export const define: CommandModule["define"] = (command, run) => {
  command
    .description(DESCRIPTION)
    .argument("[DIR]", "a folder of yours to try it with")
    .option("--folder <folder>", "where to work; the system's temporary folder if not given")
    .option("--keep", "leave everything there at the end")
    .action(run<TryFlags>((context, flags, [path]) => runTrial(context, flags, path)));
};

async function runTrial(
  context: CommandContext,
  flags: TryFlags,
  path: string | undefined,
): Promise<number> {
  const userFolder = path === undefined ? undefined : parseFolder(path);
  const folder = makeFolder(flags.folder ?? tmpdir());
  const { terminal, globals } = context;
  const isShown = !globals.json && !globals.quiet;
  const { palette } = terminal;
  const startMs = performance.now();
  try {
    if (isShown) terminal.print(renderStart(folder, userFolder, flags.keep === true).join("\n"));
    if (isShown) terminal.print(renderTrialHead(palette).join("\n"));
    const onStep = (step: TrialStep): void => {
      if (isShown) terminal.print(renderTrialStep(step, palette).join("\n"));
    };
    const trial = new Trial({ context, folder, userFolder, onStep });
    await trial.run();
    const elapsedMs = performance.now() - startMs;
    if (globals.json) terminal.print(trialMessage(trial.steps, elapsedMs));
    if (isShown) terminal.print(renderVerdict(trial.steps, elapsedMs, palette).join("\n"));
    const outcomes = trial.steps.map(({ outcome }) => outcome);
    if (outcomes.includes("failed")) return ExitCode.failed;
    return outcomes.includes("partly") ? ExitCode.sourceIncomplete : ExitCode.done;
  } finally {
    terminal.clearStatus();
    if (flags.keep !== true) removeTree(folder);
    else if (isShown) terminal.print(renderKept(folder).join("\n"));
  }
}

function renderStart(
  folder: ByteString,
  userFolder: ByteString | undefined,
  keep: boolean,
): string[] {
  const place = `${printableName(folder)}${keep ? "" : " (removed at the end)"}`;
  return [
    `Comeback ${VERSION} shows the whole job in a throwaway repository in`,
    place,
    ...(userFolder === undefined ? [] : [`with ${printableName(userFolder)}, which is only read`]),
    "",
  ];
}

function renderKept(folder: ByteString): string[] {
  const place = printableName(folder);
  return [
    "",
    "Everything is still there; look around with",
    `  comeback -r ${place}/repository -p ${place}/password snapshots`,
    `and remove it with  rm -r ${place}`,
  ];
}

function makeFolder(parent: string): ByteString {
  try {
    return byteStringFromText(realpathSync(mkdtempSync(join(resolve(parent), "comeback-try-"))));
  } catch (cause) {
    throw new ComebackError("option.invalid", `no folder can be made in ${parent}`, {
      next: "choose another one with --folder, or set TMPDIR",
      cause,
    });
  }
}

function parseFolder(path: string): ByteString {
  const bytes = Buffer.from(bytesOfArgument(path), "latin1");
  try {
    if (statSync(bytes).isDirectory()) {
      return (realpathSync(bytes, { encoding: "buffer" }) as Buffer).toString("latin1");
    }
  } catch (cause) {
    throw new ComebackError("option.invalid", `${path} cannot be looked at`, {
      next: "name a folder that you may read",
      cause,
    });
  }
  throw new ComebackError("option.invalid", `${path} is not a folder`, {
    next: "name a folder, or none to have data made",
  });
}
