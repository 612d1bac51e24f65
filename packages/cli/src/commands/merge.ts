import { ExitCode } from "@comeback/core";
import {
  executeMerge,
  instantOfMilliseconds,
  type MergePlan,
  planMerge,
  type Snapshot,
} from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import { openSession } from "../opening/session.ts";
import { badUsage } from "../options/option-error.ts";
import { parseTimeMs } from "../options/parse-values.ts";
import { addFilterOptions, type FilterFlags, filterOf } from "../options/snapshot-filter.ts";
import type { CommandModule } from "../program.ts";
import { mergeMessage, renderMergePlan } from "../merge/render-merge.ts";
import { requireLock } from "../snapshots/change-tags-report.ts";
import { findSnapshots } from "../snapshots/find-snapshots.ts";
import { shortId } from "../snapshots/render-snapshots.ts";
import { formatMany } from "../terminal/format-values.ts";
import { ProgressTicker } from "../terminal/progress-ticker.ts";
import { VERSION } from "../version.ts";

interface MergeFlags extends FilterFlags {
  readonly newHost?: string;
  readonly newTime?: string;
  readonly forget?: true;
  readonly dryRun?: true;
}

const DESCRIPTION = `Make one snapshot that holds the newest version of every path of several.

Of each path the snapshot with the later time wins; folders are merged. What was
deleted between two snapshots comes back: they do not say that it was.`;

export const define: CommandModule["define"] = (command, run) => {
  command
    .description(DESCRIPTION)
    .argument("[snapshot...]", "ids, or filters in their place")
    .option("--new-host <host>", "host of the new snapshot; default: the newest one's")
    .option("--new-time <time>", "its time, such as '2012-11-01 22:08:41'")
    .option("--forget", "remove the merged snapshots once the new one is saved")
    .option("-n, --dry-run", "only show what would be done");
  addFilterOptions(command).action(
    run<MergeFlags>(async (context, flags, names) => {
      const isFiltered = flags.host.length + flags.tag.length + flags.path.length > 0;
      if (names.length === 0 && !isFiltered) {
        throw badUsage("merge which snapshots?", "name them, or give --host, --tag or --path");
      }
      if (flags.newHost === "") throw badUsage("--new-host is empty", "name the host");
      const { newTime } = flags;
      const timeMs = newTime === undefined ? undefined : parseTimeMs("--new-time", newTime);
      await merge(context, flags, names, timeMs);
      return ExitCode.done;
    }),
  );
};

async function merge(
  context: CommandContext,
  flags: MergeFlags,
  names: readonly string[],
  timeMs: number | undefined,
): Promise<void> {
  const { terminal, globals, env } = context;
  const dryRun = flags.dryRun === true;
  if (!dryRun) requireLock(context, "merging snapshots");
  // It may build on packs that wait to be deleted: no prune may run meanwhile.
  const lock = { lock: "shared", activity: "prune" } as const;
  await using session = await openSession(context, lock);
  const { repository, signal } = session;
  // A prune may be at its end: what is read before it is known to be over is out of date.
  await session.mayWrite;
  const snapshots = await findSnapshots(session, names, filterOf(flags, env));
  // Packs that wait to be deleted are read, too, but nothing new builds on them.
  await repository.loadIndex({ includeMarked: true, signal });
  using ticker = new ProgressTicker({ terminal, env, json: globals.json, quiet: globals.quiet });
  let folders = 0;
  const line = (): string => `merging, ${formatMany(folders, "folder")} read`;
  ticker.start({ lines: () => [line()], logLine: line });
  const plan = await planMerge({
    repository,
    snapshots,
    programVersion: `comeback ${VERSION}`,
    forget: flags.forget === true,
    dryRun,
    signal,
    onFolder: () => void folders++,
    ...(flags.newHost === undefined ? {} : { hostname: flags.newHost }),
    ...(timeMs === undefined ? {} : { time: instantOfMilliseconds(timeMs) }),
  });
  ticker.stop();
  if (!globals.json && !globals.quiet) terminal.print(renderMergePlan(plan).join("\n"));
  const saved = dryRun ? undefined : await executeMerge(repository, plan, { signal });
  report(context, plan, saved);
}

function report(
  { terminal, globals }: CommandContext,
  plan: MergePlan,
  saved: Snapshot | undefined,
): void {
  if (globals.json) terminal.print(mergeMessage(plan, saved));
  if (globals.json || globals.quiet || saved === undefined) return;
  const old = plan.forget ? `, removed the ${plan.merged.length} that it was made from` : "";
  terminal.print(`snapshot ${shortId(saved.id)} saved${old}`);
}
