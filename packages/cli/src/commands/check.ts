import {
  check,
  type CheckResult,
  parseReadDataSubset,
  type ReadData,
  startWorkersEarly,
} from "@comeback/engine";
import { ComebackError } from "@comeback/core";
import {
  checkErrorMessage,
  checkSummaryMessage,
  renderCheckProblem,
  renderCheckSummary,
  renderDamage,
  renderHint,
} from "../check/check-report.ts";
import { CheckView } from "../check/check-view.ts";
import type { CommandContext } from "../context.ts";
import { openSession } from "../opening/session.ts";
import { badUsage } from "../options/option-error.ts";
import type { CommandModule } from "../program.ts";
import { ProgressTicker } from "../terminal/progress-ticker.ts";

interface CheckFlags {
  readonly readData?: true;
  readonly readDataSubset?: string;
  readonly withCache?: true;
}

export const define: CommandModule["define"] = (command, run) => {
  command
    .description(
      "Prove that the repository is whole: every index, snapshot and folder tree is read and\n" +
        "every pack they need is there. With --read-data every stored byte is read as well.\n" +
        "Others may back up and restore meanwhile.",
    )
    .option("--read-data", "read and verify all file contents too")
    .option("--read-data-subset <subset>", "read a part of them: n/t, x% or a size such as 50G")
    .option("--with-cache", "take folder trees from the local cache where it has them")
    .action(
      run<CheckFlags>(async (context, flags) => {
        return runCheck(context, wantedData(flags), flags.withCache === true);
      }),
    );
};

function wantedData({ readData, readDataSubset }: CheckFlags): ReadData {
  if (readDataSubset === undefined) return { kind: readData === true ? "all" : "none" };
  if (readData === undefined) return parseReadDataSubset(readDataSubset);
  const next = "leave one of them out";
  throw badUsage("--read-data and --read-data-subset contradict each other", next);
}

async function runCheck(
  context: CommandContext,
  readData: ReadData,
  useCache: boolean,
): Promise<number> {
  const { terminal, globals, env } = context;
  await using _workers = startWorkersEarly();
  await using session = await openSession(context, { lock: "shared", useCache });
  using ticker = new ProgressTicker({ terminal, env, json: globals.json, quiet: globals.quiet });
  const startMs = performance.now();
  const result = await check({
    repository: session.repository,
    readData,
    signal: session.signal,
    observer: {
      onStart: (progress) => ticker.start(new CheckView(progress)),
      onProblem: (problem) =>
        terminal.printError(
          globals.json
            ? checkErrorMessage(problem)
            : renderCheckProblem(problem, terminal.errorPalette),
        ),
    },
  });
  ticker.stop();
  report(context, result, performance.now() - startMs);
  if (result.ok) return 0;
  throw new ComebackError("check.failed", "the repository contains errors", failureAdvice(result));
}

function failureAdvice({ unchecked }: CheckResult): { why: string; next: string } {
  return unchecked.length > 0
    ? {
        why: "a damaged index hides what is stored; the packs themselves may be whole",
        next: "rebuild the index with `comeback repair index`, then check again",
      }
    : {
        why: "what is damaged is named above; everything else in it can still be restored",
        next: "look at the disk that this repository is on; `comeback repair --help` says how to save the rest",
      };
}

function report(
  { terminal, globals }: CommandContext,
  result: CheckResult,
  elapsedMs: number,
): void {
  if (globals.json) {
    terminal.print(checkSummaryMessage(result));
    return;
  }
  for (const hint of globals.quiet ? [] : result.hints) {
    terminal.printError(renderHint(hint, terminal.errorPalette));
  }
  const damage = renderDamage(result);
  if (damage.length > 0) terminal.printError(damage.join("\n"));
  if (!globals.quiet) {
    terminal.print(renderCheckSummary(result, elapsedMs, terminal.palette).join("\n"));
  }
}
