import { ComebackError } from "@comeback/core";
import {
  executeForget,
  FORGET_GROUPING,
  type ForgetPlan,
  HOLD_TAG,
  planForget,
  planForgetNamed,
  removedByPlan,
  type SnapshotFilter,
  type SnapshotGrouping,
} from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import {
  addPolicyOptions,
  isPolicyGiven,
  type PolicyFlags,
  policyOf,
} from "../forget/policy-options.ts";
import { RemovalView } from "../forget/removal-view.ts";
import { forgetGroupMessage, renderForgetPlan } from "../forget/render-plan.ts";
import { openSession, type Session } from "../opening/session.ts";
import { badUsage } from "../options/option-error.ts";
import { parseGroupBy } from "../options/parse-values.ts";
import { addFilterOptions, type FilterFlags, filterOf } from "../options/snapshot-filter.ts";
import type { CommandModule } from "../program.ts";
import { changeAndReport, requireLock } from "../snapshots/change-tags-report.ts";
import { findSnapshots } from "../snapshots/find-snapshots.ts";
import { shortId } from "../snapshots/render-snapshots.ts";
import { formatMany } from "../terminal/format-values.ts";
import { printableText } from "../terminal/printable.ts";
import { ProgressTicker } from "../terminal/progress-ticker.ts";

interface ForgetFlags extends FilterFlags, PolicyFlags {
  readonly groupBy?: string;
  readonly compact?: true;
  readonly dryRun?: true;
  readonly allowRemoveAll?: true;
  readonly unsafeAllowRemoveAll?: true;
  readonly hold?: true;
  readonly unhold?: true;
}

export const define: CommandModule["define"] = (command, run) => {
  command
    .description(
      "Remove snapshots: those that are named, or all that no rule keeps. Each group\n" +
        "(one host and path set, unless --group-by says otherwise) is looked at by itself,\n" +
        "and what goes and what stays is shown first. A snapshot stays if one rule keeps\n" +
        "it. Durations are years, months, days and hours, such as 1y5m7d2h.",
    )
    .argument("[snapshot...]", "ids of snapshots to remove, or with --hold to hold");
  addPolicyOptions(command)
    .option("--hold", "never forget the named snapshots, from now on")
    .option("--unhold", "let the named snapshots go again")
    .option("--allow-remove-all", "let a policy remove every snapshot of a group")
    .option("--unsafe-allow-remove-all", "the same, by restic's name");
  addFilterOptions(command, "--host <host>")
    .option("-g, --group-by <group>", "host, paths and tags, with commas; '' for one group")
    .option("-c, --compact", "one line a snapshot")
    .option("-n, --dry-run", "only show what would be removed")
    .action(
      run<ForgetFlags>(async (context, flags, names) => {
        if (flags.hold === true || flags.unhold === true) return hold(context, flags, names);
        return forget(context, flags, names);
      }),
    );
};

async function forget(
  context: CommandContext,
  flags: ForgetFlags,
  names: readonly string[],
): Promise<number> {
  const { terminal, globals, env } = context;
  const request = requestOf(flags, names, context);
  const dryRun = flags.dryRun === true;
  if (!dryRun) requireLock(context, "removing snapshots");
  await using session = await openSession(context, { lock: "shared" });
  using ticker = new ProgressTicker({ terminal, env, json: globals.json, quiet: globals.quiet });
  const reading = "reading the snapshots";
  ticker.start({ lines: () => [reading], logLine: () => reading });
  const snapshots = await findSnapshots(session, names, request.filter);
  ticker.stop();
  const plan = request.plan(snapshots);
  if (globals.json) {
    terminal.print(JSON.stringify(plan.groups.map(forgetGroupMessage)));
  } else if (!globals.quiet) {
    const layout = { groupBy: request.groupBy, compact: flags.compact === true };
    const lines = renderForgetPlan(plan, layout);
    if (lines.length > 0) terminal.print(lines.join("\n"));
  }
  const count = removedByPlan(plan).length;
  if (!dryRun) await remove(context, session, plan, ticker);
  if (!globals.json && !globals.quiet) {
    const what = count === 0 ? "no snapshot" : formatMany(count, "snapshot");
    terminal.print(dryRun ? `would remove ${what}` : `removed ${what}`);
  }
  return 0;
}

interface ForgetRequest {
  readonly filter: SnapshotFilter;
  readonly groupBy: SnapshotGrouping;
  plan(snapshots: Parameters<typeof planForget>[0]): ForgetPlan;
}

/** Everything that the command line says, checked before the repository is opened. */
function requestOf(
  flags: ForgetFlags,
  names: readonly string[],
  { clock, env }: CommandContext,
): ForgetRequest {
  const filter = filterOf(flags, env);
  const none = { host: false, paths: false, tags: false };
  if (names.length > 0) {
    // restic ignores the rules then, and removes what they may have been meant to keep.
    if (!isPolicyGiven(flags)) return { filter, groupBy: none, plan: planForgetNamed };
    throw badUsage("snapshots are named, and there are rules too", "give ids or rules, not both");
  }
  const policy = policyOf(flags);
  const { groupBy: by } = flags;
  const groupBy = by === undefined ? FORGET_GROUPING : parseGroupBy("--group-by", by);
  const allowRemoveAll = flags.allowRemoveAll === true || flags.unsafeAllowRemoveAll === true;
  const { hosts = [], tags = [], paths = [] } = filter;
  const isFiltered = hosts.length + tags.length + paths.length > 0;
  const plan: ForgetRequest["plan"] = (snapshots) =>
    planForget(snapshots, {
      policy,
      groupBy,
      allowRemoveAll,
      isFiltered,
      nowMs: clock.now(),
    });
  // No rule at all is a mistake whatever the repository holds.
  plan([]);
  return { filter, groupBy, plan };
}

async function remove(
  context: CommandContext,
  session: Session,
  plan: ForgetPlan,
  ticker: ProgressTicker,
): Promise<void> {
  const { terminal, globals } = context;
  const total = removedByPlan(plan).length;
  if (total === 0) return;
  await session.mayWrite;
  const view = new RemovalView(total);
  ticker.start(view);
  const { failed } = await executeForget(session.repository, plan, {
    signal: session.signal,
    onRemoved: () => view.add(),
  });
  ticker.stop();
  if (failed.length === 0) return;
  if (!globals.json) {
    for (const { id, message } of failed) {
      terminal.printError(`warning: ${shortId(id)}: ${printableText(message)}`);
    }
  }
  const what = `${formatMany(failed.length, "snapshot")} could not be removed`;
  throw new ComebackError("forget.incomplete", what, {
    why: failed[0]?.message ?? "",
    next: "the others are removed; run the same command again once the cause is gone",
  });
}

/** Marks snapshots as held, or takes the mark away. Their ids change: a snapshot's id is its content. */
async function hold(
  context: CommandContext,
  flags: ForgetFlags,
  names: readonly string[],
): Promise<number> {
  const { terminal, globals, env } = context;
  const option = flags.hold === true ? "--hold" : "--unhold";
  if (flags.hold === flags.unhold) {
    throw badUsage("--hold and --unhold contradict each other", "leave one of them out");
  }
  if (isPolicyGiven(flags) || flags.dryRun === true) {
    throw badUsage(`${option} removes nothing`, "leave the rules and --dry-run out");
  }
  if (names.length === 0) throw badUsage(`${option} needs snapshots`, "name them by their ids");
  requireLock(context, "holding snapshots");
  await using session = await openSession(context, { lock: "shared" });
  const snapshots = await findSnapshots(session, names, filterOf(flags, env));
  const word = flags.hold === true ? "held" : "released";
  const changed = await changeAndReport(context, session, {
    snapshots,
    changes: flags.hold === true ? { add: [HOLD_TAG] } : { remove: [HOLD_TAG] },
    line: (old, id) => `${old} is ${word}; its id is ${id} now`,
  });
  if (!globals.json && !globals.quiet && changed === 0) terminal.print(`nothing was ${word}`);
  return 0;
}
