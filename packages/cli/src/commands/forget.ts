import { ComebackError } from "@comeback/core";
import {
  executeForget,
  FORGET_GROUPING,
  type ForgetPlan,
  planForget,
  planForgetNamed,
  removedByPlan,
  type Snapshot,
  type SnapshotFilter,
  type SnapshotGrouping,
  startWorkersEarly,
} from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import { type HoldFlags, holdSnapshots } from "../forget/hold-snapshots.ts";
import { addPolicyOptions, isPolicyGiven, policyOf } from "../forget/policy-options.ts";
import { RemovalView } from "../forget/removal-view.ts";
import { forgetGroupMessage, type PlanLayout, renderForgetPlan } from "../forget/render-plan.ts";
import { openSession, type Session } from "../opening/session.ts";
import { badUsage } from "../options/option-error.ts";
import { parseGroupBy } from "../options/parse-values.ts";
import { addFilterOptions, filterOf } from "../options/snapshot-filter.ts";
import type { CommandModule } from "../program.ts";
import {
  addPruneOptions,
  type PruneFlags,
  type PruneWish,
  pruneWishOf,
} from "../prune/prune-flags.ts";
import { pruneAndReport, pruneLock } from "../prune/run-prune.ts";
import { requireLock } from "../snapshots/change-tags-report.ts";
import { findSnapshots } from "../snapshots/find-snapshots.ts";
import { reportFailures } from "../snapshots/report-failures.ts";
import { formatMany } from "../terminal/format-values.ts";
import { ProgressTicker } from "../terminal/progress-ticker.ts";

interface ForgetFlags extends HoldFlags, PruneFlags {
  readonly groupBy?: string;
  readonly compact?: true;
  readonly allowRemoveAll?: true;
  readonly unsafeAllowRemoveAll?: true;
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
    .option("--prune", "then prune, if anything was removed; with prune's options:");
  addPruneOptions(command).action(
    run<ForgetFlags>(async (context, flags, names) => {
      if (flags.hold === true || flags.unhold === true) {
        return holdSnapshots(context, flags, names);
      }
      return forget(context, flags, names);
    }),
  );
};

async function forget(
  context: CommandContext,
  flags: ForgetFlags,
  names: readonly string[],
): Promise<number> {
  const { globals } = context;
  const request = requestOf(flags, names, context);
  const prune = pruneOf(flags, context);
  const dryRun = flags.dryRun === true;
  if (!dryRun) requireLock(context, "removing snapshots");
  await using _workers = prune === undefined ? undefined : startWorkersEarly();
  const lock = prune === undefined ? { lock: "shared" as const } : pruneLock(prune, dryRun);
  await using session = await openSession(context, lock);
  const plan = request.plan(await readSnapshots(context, session, names, request.filter));
  const doomed = removedByPlan(plan);
  showPlan(context, plan, { groupBy: request.groupBy, compact: flags.compact === true });
  if (!dryRun) await remove(context, session, plan);
  if (!globals.json && !globals.quiet) {
    const what = doomed.length === 0 ? "no snapshot" : formatMany(doomed.length, "snapshot");
    const hint = "; `comeback prune` frees what only they needed";
    const isLast = prune === undefined && !dryRun && doomed.length > 0;
    context.terminal.print(`${dryRun ? "would remove" : "removed"} ${what}${isLast ? hint : ""}`);
  }
  if (prune === undefined || doomed.length === 0) return 0;
  const ignored = dryRun ? { ignoreSnapshots: new Set(doomed.map(({ id }) => id)) } : {};
  await pruneAndReport(context, session, { ...prune, dryRun, ...ignored });
  return 0;
}

/** How to prune afterwards; `undefined` where nobody asked for it. */
function pruneOf(flags: ForgetFlags, { globals }: CommandContext): PruneWish | undefined {
  if (flags.prune === true) return pruneWishOf(flags, globals);
  const { maxUnused, maxRepackSize, repackCacheableOnly, repackSmall, repackUncompressed } = flags;
  const repack = [maxRepackSize, repackCacheableOnly, repackSmall, repackUncompressed];
  const given = [maxUnused, ...repack, flags.keepDelete, flags.instant];
  if (given.every((value) => value === undefined)) return undefined;
  throw badUsage("an option of prune is given, but not --prune", "give --prune, or leave it out");
}

async function readSnapshots(
  { terminal, globals, env }: CommandContext,
  session: Session,
  names: readonly string[],
  filter: SnapshotFilter,
): Promise<Snapshot[]> {
  using ticker = new ProgressTicker({ terminal, env, json: globals.json, quiet: globals.quiet });
  const reading = "reading the snapshots";
  ticker.start({ lines: () => [reading], logLine: () => reading });
  return await findSnapshots(session, names, filter);
}

function showPlan(
  { terminal, globals }: CommandContext,
  plan: ForgetPlan,
  layout: PlanLayout,
): void {
  if (globals.json) {
    terminal.print(JSON.stringify(plan.groups.map(forgetGroupMessage)));
  } else if (!globals.quiet) {
    const lines = renderForgetPlan(plan, layout);
    if (lines.length > 0) terminal.print(lines.join("\n"));
  }
}

interface ForgetRequest {
  readonly filter: SnapshotFilter;
  readonly groupBy: SnapshotGrouping;
  plan(snapshots: readonly Snapshot[]): ForgetPlan;
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

async function remove(context: CommandContext, session: Session, plan: ForgetPlan): Promise<void> {
  const { terminal, globals, env } = context;
  const total = removedByPlan(plan).length;
  if (total === 0) return;
  await session.mayWrite;
  const view = new RemovalView(total);
  using ticker = new ProgressTicker({ terminal, env, json: globals.json, quiet: globals.quiet });
  ticker.start(view);
  const { failed } = await executeForget(session.repository, plan, {
    signal: session.signal,
    onRemoved: () => view.add(),
  });
  ticker.stop();
  if (failed.length === 0) return;
  reportFailures(context, failed);
  const what = `${formatMany(failed.length, "snapshot")} could not be removed`;
  throw new ComebackError("forget.incomplete", what, {
    why: failed[0]?.message ?? "",
    next: "the others are removed; run the same command again once the cause is gone",
  });
}
