import { PatternList } from "@comeback/core";
import type { ByteString, ComebackError } from "@comeback/core";
import {
  blobsOfPacks,
  findEntries,
  findObjects,
  type FindOptions,
  type Snapshot,
  type TreeNode,
  type WantedObjects,
} from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import { FindReport } from "../find/find-report.ts";
import { parseSizeRule } from "../find/size-rule.ts";
import { openSession, type Session } from "../opening/session.ts";
import { bytesOfArgument } from "../options/argument-bytes.ts";
import { badUsage, badValue } from "../options/option-error.ts";
import { parseSearchTimeMs } from "../options/parse-search-time.ts";
import { gather } from "../options/repeatable.ts";
import { addFilterOptions, type FilterFlags, filterOf } from "../options/snapshot-filter.ts";
import type { CommandModule } from "../program.ts";
import { reportOf } from "../render-error.ts";
import { findSnapshots } from "../snapshots/find-snapshots.ts";
import { LineWriter } from "../terminal/line-writer.ts";
import { printableText } from "../terminal/printable.ts";
import { renderBar } from "../terminal/progress-bar.ts";
import { ProgressTicker } from "../terminal/progress-ticker.ts";

interface FindFlags extends FilterFlags {
  readonly ignoreCase?: true;
  readonly long?: true;
  readonly humanReadable?: true;
  readonly newest?: string;
  readonly oldest?: string;
  readonly size: readonly string[];
  readonly reverse?: true;
  readonly snapshot: readonly string[];
  readonly blob?: true;
  readonly tree?: true;
  readonly pack?: true;
  readonly showPackId?: true;
}

export const define: CommandModule["define"] = (command, run) => {
  addFilterOptions(
    command.argument("<pattern...>", "names or paths as for --exclude; with --blob and such, ids"),
  )
    .option("-i, --ignore-case", "upper and lower case are the same")
    .option("-l, --long", "show mode, owner, size and time")
    .option("--human-readable", "show sizes as 1.2 MiB")
    .option("-N, --newest <time>", "only what was modified then or before")
    .option("-O, --oldest <time>", "only what was modified then or later")
    .option("--size <rule>", "only files of a size: +10M, -1k, 500; repeatable", gather, [])
    .option("-R, --reverse", "oldest snapshot first")
    .option("-s, --snapshot <id>", "search in this snapshot; repeatable", gather, [])
    .option("--blob", "find files that use these data blobs")
    .option("--tree", "find folders that have these trees")
    .option("--pack", "find what uses any blob of these packs")
    .option("--show-pack-id", "with ids: show also in which pack a blob is")
    .action(run<FindFlags>(find));
};

async function find(
  context: CommandContext,
  flags: FindFlags,
  patterns: readonly string[],
): Promise<number> {
  const { terminal, globals, env } = context;
  const idKind = idKindOf(flags, patterns);
  const accepts = acceptedBy(flags);
  const texts = patterns.map(bytesOfArgument);
  const ignoreCase = flags.ignoreCase === true;
  const list = new PatternList(idKind === undefined ? texts : [], { option: "find", ignoreCase });
  await using session = await openSession(context, { lock: "shared" });
  const { repository, signal } = session;
  await repository.loadIndex({ includeMarked: true, signal });
  const found = await findSnapshots(session, flags.snapshot, filterOf(flags, env));
  const snapshots = flags.reverse === true ? found : found.toReversed();
  const report = new FindReport(new LineWriter(terminal), {
    json: globals.json,
    quiet: globals.quiet,
    long: flags.long === true,
    humanReadable: flags.humanReadable === true,
  });
  // In a log, lines about the progress would stand between the results.
  const quiet = globals.quiet || globals.json || !terminal.isLive;
  using ticker = new ProgressTicker({ terminal, env, quiet, json: false });
  let done = 0;
  const line = (): string => `snapshot ${done} of ${snapshots.length}`;
  ticker.start({
    lines: (columns) => [`${renderBar(done / snapshots.length, columns)}  ${line()}`],
    logLine: line,
  });
  let problems = 0;
  const options: FindOptions = {
    repository,
    snapshots,
    signal,
    onSnapshot: (_, number) => (done = number - 1),
    onProblem: (error, snapshot) => {
      problems++;
      terminal.printError(problemText(error, snapshot, globals.json));
    },
  };
  if (idKind === undefined) {
    await findEntries({
      ...options,
      patterns: list,
      accepts,
      onMatch: (match, snapshot) => report.entry(match, snapshot),
    });
  } else {
    const objects = await objectsOf(session, idKind, texts);
    const places = flags.showPackId === true;
    await findObjects({
      ...options,
      objects,
      onMatch: (match, snapshot) => {
        const place = places ? repository.index.find(match.type, match.id)[0] : undefined;
        report.object(match, snapshot, place);
      },
    });
  }
  ticker.stop();
  report.finish();
  return problems > 0 ? 1 : 0;
}

type IdKind = "blob" | "tree" | "pack";

function idKindOf(flags: FindFlags, patterns: readonly string[]): IdKind | undefined {
  const kinds = (["blob", "tree", "pack"] as const).filter((kind) => flags[kind] === true);
  const [kind] = kinds;
  if (kinds.length > 1) {
    throw badUsage("ids are of one kind at a time", "leave all but one of --blob, --tree, --pack");
  }
  if (kind === undefined) return undefined;
  const rules = [flags.newest, flags.oldest, ...flags.size];
  if (rules.some((rule) => rule !== undefined)) {
    throw badUsage("times and sizes do not go together with ids", `search for the ${kind} alone`);
  }
  for (const id of patterns) {
    if (!/^[0-9a-f]{1,64}$/.test(id)) {
      throw badValue(`the id of a ${kind}`, id, "its hexadecimal digits, or the first of them");
    }
  }
  return kind;
}

/** What times and sizes let through. */
function acceptedBy(flags: FindFlags): (node: TreeNode) => boolean {
  const time = (option: string, text: string | undefined, otherwise: number): number =>
    text === undefined ? otherwise : parseSearchTimeMs(option, text);
  const oldest = time("--oldest", flags.oldest, -Infinity);
  const newest = time("--newest", flags.newest, Infinity);
  if (oldest > newest) {
    throw badUsage("nothing is as old as --oldest and as new as --newest", "exchange the two");
  }
  const sizes = flags.size.map(parseSizeRule);
  const hasTimes = flags.oldest !== undefined || flags.newest !== undefined;
  return (node) => {
    if (sizes.length > 0) {
      if (node.type !== "file") return false;
      if (!sizes.every((isWanted) => isWanted(Number(node.size)))) return false;
    }
    return !hasTimes || isBetween(node.mtime, oldest, newest);
  };
}

/** The limits are whole seconds: a fraction of one more than the newest is too new. */
function isBetween(time: string, oldestMs: number, newestMs: number): boolean {
  const ms = Date.parse(time);
  const hasRest = /\.\d{3}\d*[1-9]/.test(time);
  return ms >= oldestMs && (hasRest ? ms < newestMs : ms <= newestMs);
}

async function objectsOf(
  { repository, signal }: Session,
  kind: IdKind,
  ids: readonly ByteString[],
): Promise<WantedObjects> {
  if (kind === "pack") return blobsOfPacks(repository, ids, { signal });
  return kind === "blob" ? { data: ids, tree: [] } : { data: [], tree: ids };
}

function problemText(error: ComebackError, { id }: Snapshot, json: boolean): string {
  const { what, why } = reportOf(error);
  const message = `${what}: ${why ?? ""} (snapshot ${id.slice(0, 8)})`;
  if (json) return JSON.stringify({ message_type: "error", error: { message } });
  return printableText(`error: ${message}`);
}
