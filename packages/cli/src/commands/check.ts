import {
  check,
  type CheckMemory,
  checkMemoryPath,
  type CheckResult,
  loadCheckMemory,
  parseReadDataSubset,
  type ReadData,
  saveCheckMemory,
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
import { openSession, type Session } from "../opening/session.ts";
import { badUsage } from "../options/option-error.ts";
import { parseLongDurationMs } from "../options/parse-values.ts";
import type { CommandModule } from "../program.ts";
import { printableText } from "../terminal/printable.ts";
import { ProgressTicker } from "../terminal/progress-ticker.ts";

interface CheckFlags {
  readonly readData?: true;
  readonly readDataSubset?: string;
  readonly readDataEvery?: string;
  readonly withMemory?: true;
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
    .option("--with-memory", "remember on this machine which packs were read, and when")
    .option("--read-data-every <time>", "read what is due, so that all is read within this time")
    .option("--with-cache", "take folder trees from the local cache where it has them")
    .action(
      run<CheckFlags>(async (context, flags) => {
        return runCheck(context, {
          readData: wantedData(flags),
          useMemory: flags.withMemory === true || flags.readDataEvery !== undefined,
          useCache: flags.withCache === true,
        });
      }),
    );
};

interface CheckWish {
  readonly readData: ReadData;
  readonly useMemory: boolean;
  readonly useCache: boolean;
}

function wantedData({ readData, readDataSubset, readDataEvery }: CheckFlags): ReadData {
  if (readDataEvery !== undefined) {
    const everyMs = parseLongDurationMs("--read-data-every", readDataEvery);
    if (readData === undefined && readDataSubset === undefined) return { kind: "every", everyMs };
    const other = readData === undefined ? "--read-data-subset" : "--read-data";
    throw badUsage(`--read-data-every and ${other} contradict each other`, "leave one of them out");
  }
  if (readDataSubset === undefined) return { kind: readData === true ? "all" : "none" };
  if (readData === undefined) return parseReadDataSubset(readDataSubset);
  const next = "leave one of them out";
  throw badUsage("--read-data and --read-data-subset contradict each other", next);
}

async function runCheck(
  context: CommandContext,
  { readData, useMemory, useCache }: CheckWish,
): Promise<number> {
  const { terminal, globals, env } = context;
  await using _workers = startWorkersEarly();
  await using session = await openSession(context, { lock: "shared", useCache });
  await using memory = useMemory ? await openMemory(context, session) : undefined;
  using ticker = new ProgressTicker({ terminal, env, json: globals.json, quiet: globals.quiet });
  const startMs = performance.now();
  const result = await check({
    repository: session.repository,
    readData,
    ...(memory === undefined ? {} : { memory: memory.memory }),
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

/** What checks before this one have read. It is kept also where this one is interrupted. */
async function openMemory(
  { env, terminal, globals }: CommandContext,
  { repository }: Session,
): Promise<AsyncDisposable & { readonly memory: CheckMemory }> {
  const { id } = repository.config;
  const path = checkMemoryPath(id, env);
  const onWarning = ({ message, why = "" }: ComebackError): void => {
    if (!globals.json) terminal.printError(printableText(`warning: ${message}: ${why}`));
  };
  const memory = await loadCheckMemory(path, id, onWarning);
  return { memory, [Symbol.asyncDispose]: () => saveCheckMemory(path, memory, onWarning) };
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
