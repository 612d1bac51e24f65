import type { ByteString, PatternList } from "@comeback/core";
import { ComebackError, ExitCode } from "@comeback/core";
import {
  executeRewrite,
  instantOfMilliseconds,
  planRewrite,
  type RewritePlan,
  type Snapshot,
  type TreeNode,
} from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import { openSession } from "../opening/session.ts";
import { badUsage } from "../options/option-error.ts";
import { parseSizeBytes, parseTimeMs } from "../options/parse-values.ts";
import { readPatternLists } from "../options/read-patterns.ts";
import { gather } from "../options/repeatable.ts";
import { addFilterOptions, type FilterFlags, filterOf } from "../options/snapshot-filter.ts";
import type { CommandModule } from "../program.ts";
import { renderRewriteEnd, renderRewritePlan, rewriteMessage } from "../rewrite/render-rewrite.ts";
import { RewriteView } from "../rewrite/rewrite-view.ts";
import { requireLock } from "../snapshots/change-tags-report.ts";
import { findSnapshots } from "../snapshots/find-snapshots.ts";
import { shortId } from "../snapshots/render-snapshots.ts";
import { formatMany } from "../terminal/format-values.ts";
import { printableName } from "../terminal/printable.ts";
import { ProgressTicker } from "../terminal/progress-ticker.ts";

interface RewriteFlags extends FilterFlags {
  readonly exclude: readonly string[];
  readonly iexclude: readonly string[];
  readonly excludeFile: readonly string[];
  readonly iexcludeFile: readonly string[];
  readonly excludeLargerThan?: string;
  readonly newHost?: string;
  readonly newTime?: string;
  readonly snapshotSummary?: true;
  readonly forget?: true;
  readonly dryRun?: true;
}

const DESCRIPTION = `Make snapshots anew without some of their files, or with another host or time.

The new ones stand beside the old ones, with the tag \`rewrite\`; with --forget
they take their place. Snapshots in which nothing changes stay as they are. The
data of what is left out goes with the next \`prune\`.`;

export const define: CommandModule["define"] = (command, run) => {
  command
    .description(DESCRIPTION)
    .argument("[snapshot...]", "ids, or `latest`; default: all that pass the filters")
    .option("-e, --exclude <pattern>", "leave out what matches; repeatable", gather, [])
    .option("--iexclude <pattern>", "the same in upper or lower case", gather, [])
    .option("--exclude-file <file>", "patterns from a file; repeatable", gather, [])
    .option("--iexclude-file <file>", "the same in upper or lower case", gather, [])
    .option("--exclude-larger-than <size>", "leave out larger files, such as 500M")
    .option("--new-host <host>", "give the new snapshots this host")
    .option("--new-time <time>", "and this time, such as '2012-11-01 22:08:41'")
    .option("-s, --snapshot-summary", "count files and bytes where a snapshot does not")
    .option("--forget", "remove the old snapshots once the new ones are saved")
    .option("-n, --dry-run", "only show what would be done");
  addFilterOptions(command).action(
    run<RewriteFlags>(async (context, flags, names) => {
      return rewrite(context, flags, names, await wishOf(flags, context.env));
    }),
  );
};

type Excludes = (path: ByteString, node: TreeNode) => boolean;

interface Wish {
  readonly excludes: Excludes | undefined;
  readonly timeMs: number | undefined;
}

/** What the command line asks for, checked before the repository is opened. */
async function wishOf(flags: RewriteFlags, env: NodeJS.ProcessEnv): Promise<Wish> {
  const lists = await readPatternLists(
    "exclude",
    {
      patterns: flags.exclude,
      files: flags.excludeFile,
      ignoreCasePatterns: flags.iexclude,
      ignoreCaseFiles: flags.iexcludeFile,
    },
    env,
  );
  const { excludeLargerThan: size, newHost, newTime, snapshotSummary } = flags;
  const sizeBytes = size === undefined ? undefined : parseSizeBytes("--exclude-larger-than", size);
  const timeMs = newTime === undefined ? undefined : parseTimeMs("--new-time", newTime);
  if (newHost === "") throw badUsage("--new-host is empty", "name the host");
  const excludes = excludesOf(lists, sizeBytes);
  const isNothing = excludes === undefined && timeMs === undefined && newHost === undefined;
  if (isNothing && snapshotSummary === undefined) {
    const next = "give --exclude or one of its kind, --new-host, --new-time or --snapshot-summary";
    throw badUsage("there is nothing to change", next);
  }
  return { excludes, timeMs };
}

function excludesOf(
  lists: readonly PatternList[],
  sizeBytes: number | undefined,
): Excludes | undefined {
  if (lists.length === 0 && sizeBytes === undefined) return undefined;
  return (path, node) =>
    lists.some((list) => list.matches(path)) ||
    (sizeBytes !== undefined && node.type === "file" && node.size > sizeBytes);
}

async function rewrite(
  context: CommandContext,
  flags: RewriteFlags,
  names: readonly string[],
  { excludes, timeMs }: Wish,
): Promise<number> {
  const { terminal, globals, env } = context;
  const dryRun = flags.dryRun === true;
  if (!dryRun) requireLock(context, "rewriting snapshots");
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
  const nameExcluded = (snapshot: Snapshot, path: ByteString): void => {
    terminal.print(`${shortId(snapshot.id)}: leaving out ${printableName(path)}`);
  };
  const plan = await planRewrite({
    repository,
    snapshots,
    forget: flags.forget === true,
    dryRun,
    signal,
    summarize: flags.snapshotSummary === true,
    ...(excludes === undefined ? {} : { excludes }),
    ...(flags.newHost === undefined ? {} : { hostname: flags.newHost }),
    ...(timeMs === undefined ? {} : { time: instantOfMilliseconds(timeMs) }),
    observer: {
      onStart: (progress) => ticker.start(new RewriteView(progress)),
      ...(globals.verbosity > 0 && !globals.json ? { onExcluded: nameExcluded } : {}),
    },
  });
  ticker.stop();
  const say = (...lines: readonly string[]): void => {
    if (!globals.json && !globals.quiet && lines.length > 0) terminal.print(lines.join("\n"));
  };
  say(...renderRewritePlan(plan));
  const saved = new Map<string, Snapshot>();
  if (!dryRun) {
    await executeRewrite(repository, plan, {
      signal,
      onSaved: (old, rewritten) => {
        saved.set(old.id, rewritten);
        say(`${shortId(old.id)} is saved as ${shortId(rewritten.id)}`);
      },
    });
  }
  say(renderRewriteEnd(plan));
  if (globals.json) terminal.print(rewriteMessage(plan, saved));
  failIfIncomplete(plan);
  return ExitCode.done;
}

function failIfIncomplete({ failed }: RewritePlan): void {
  const [first] = failed;
  if (first === undefined) return;
  const what = `${formatMany(failed.length, "snapshot")} could not be rewritten`;
  throw new ComebackError("rewrite.incomplete", what, {
    why: `${shortId(first.snapshot.id)}: ${first.message}`,
    next: "nothing was removed of it; `comeback check` tells more of damage",
  });
}
