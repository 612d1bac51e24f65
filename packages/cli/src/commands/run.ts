import { BACKUP_TYPES, ExitCode, RUN_TRIGGERS } from "@comeback/core";
import {
  checkRequest,
  type Configuration,
  runPlan,
  type RunReport,
  type RunRequest,
} from "@comeback/operations";
import type { CommandContext } from "../context.ts";
import { badUsage } from "../options/option-error.ts";
import { parseChoice, parseInteger } from "../options/parse-values.ts";
import { gather } from "../options/repeatable.ts";
import type { CommandModule } from "../program.ts";
import { exitErrorMessage, renderError, reportOf } from "../render-error.ts";
import { OpenRunServices } from "../run/run-services.ts";
import { stateFolderFor } from "../run/state-folder-for.ts";
import { exitCodeOfRun, renderRunReport, runReportMessage } from "../run/render-run-report.ts";
import { RunView } from "../run/run-view.ts";
import { clearLeftOver } from "../undo/clear-left-over.ts";

interface RunFlags {
  readonly type?: string;
  readonly only: readonly string[];
  readonly copies: readonly string[];
  readonly accept?: true;
  readonly dryRun?: true;
  readonly undo?: true;
  readonly trigger: string;
  readonly scheduledFor?: string;
}

const DESCRIPTION = `Run plans: preflight, quiesce, snapshot, resume, capture, verify, copy, retain.

Without a name, all plans that are enabled run one after the other. What fails
is told, and the rest goes on. Ends with 0 where all went well, 3 with warnings,
1 where something failed, 75 where nothing was done for a reason.`;

export const define: CommandModule["define"] = (command, run) => {
  command
    .description(DESCRIPTION)
    .argument("[plan...]", "plans of the configuration; all of them if none is given")
    .option("-t, --type <type>", "full, differential or incremental; as scheduled if not given")
    .option("--only <source>", "only this source; repeatable", gather, [])
    .option("--copies <destination>", "only the copies to this destination", gather, [])
    .option("--accept", "what differs from before is right, and the new normal")
    .option("-n, --dry-run", "look, read and plan, and change nothing")
    .option("--undo", "show and clear what runs left behind that did not end")
    .option("--trigger <trigger>", "what starts it: manual, schedule or catch-up", "manual")
    .option("--scheduled-for <ms>", "the moment of the schedule that it answers")
    .action(run<RunFlags>((context, flags, names) => runCommand(context, flags, names)));
};

async function runCommand(
  context: CommandContext,
  flags: RunFlags,
  names: readonly string[],
): Promise<number> {
  if (flags.undo === true) {
    const stateFolder = await stateFolderFor(context);
    return clearLeftOver(context, { stateFolder, dryRun: flags.dryRun === true });
  }
  const type =
    flags.type === undefined ? undefined : parseChoice("--type", flags.type, BACKUP_TYPES);
  const trigger = parseChoice("--trigger", flags.trigger, RUN_TRIGGERS);
  const { scheduledFor } = flags;
  const scheduledForMs =
    scheduledFor === undefined
      ? undefined
      : parseInteger("--scheduled-for", scheduledFor, { min: 0, max: Number.MAX_SAFE_INTEGER });
  if (flags.only.length > 0 && flags.copies.length > 0) {
    throw badUsage("--only and --copies contradict each other", "leave one of them out");
  }
  using view = new RunView(context);
  await using services = await OpenRunServices.open(context, view.observer, {
    isDryRun: flags.dryRun === true,
  });
  const wishes = chosenPlans(services.configuration, names).map((plan) => ({
    plan,
    type: type ?? "incremental",
    trigger,
    scheduledForMs,
    only: flags.only.length === 0 ? undefined : flags.only,
    dryRun: flags.dryRun === true,
    accept: flags.accept === true,
    part: flags.copies.length === 0 ? ("all" as const) : { copies: flags.copies },
  }));
  // A name that is wrong is told before anything has run.
  for (const wish of wishes) checkRequest(wish, services);
  let worst: number = ExitCode.done;
  for (const wish of wishes) {
    worst = worseExit(worst, await runOne(context, wish, services, wishes.length > 1));
  }
  return worst;
}

/** With several plans, one that cannot even begin does not keep the others. */
async function runOne(
  context: CommandContext,
  wish: RunRequest,
  services: OpenRunServices,
  hasOthers: boolean,
): Promise<number> {
  const { terminal, globals, signal } = context;
  let report: RunReport;
  try {
    report = await runPlan(wish, services);
  } catch (error) {
    if (!hasOthers || signal.aborted) throw error;
    const failure = reportOf(error);
    const { errorPalette, columns } = terminal;
    terminal.printError(
      globals.json ? exitErrorMessage(failure) : renderError(failure, errorPalette, columns),
    );
    return failure.exitCode;
  }
  if (globals.json) terminal.print(JSON.stringify(runReportMessage(report)));
  else if (!globals.quiet) {
    const { palette, columns } = terminal;
    terminal.print(renderRunReport(report, palette, columns).join("\n"));
  }
  return exitCodeOfRun(report);
}

/** Those that are named, also where they are switched off; otherwise all that are not. */
function chosenPlans({ plans }: Configuration, names: readonly string[]): readonly string[] {
  if (names.length > 0) return [...new Set(names)];
  const known = Object.keys(plans);
  if (known.length === 0) {
    throw badUsage("the configuration has no plan", "write one: `comeback setup`");
  }
  const enabled = known.filter((name) => plans[name]?.enabled === true);
  if (enabled.length > 0) return enabled;
  throw badUsage("every plan is switched off", `name one to run it: ${known.join(", ")}`);
}

/** Failed before incomplete before skipped before done. */
function worseExit(a: number, b: number): number {
  const rank: readonly number[] = [
    ExitCode.done,
    ExitCode.skipped,
    ExitCode.sourceIncomplete,
    ExitCode.failed,
  ];
  const rankOf = (code: number): number => (rank.includes(code) ? rank.indexOf(code) : rank.length);
  return rankOf(a) >= rankOf(b) ? a : b;
}
