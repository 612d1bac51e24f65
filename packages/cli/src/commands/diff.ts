import { displayText } from "@comeback/core";
import {
  type DiffCounts,
  diffTrees,
  type DiffStatistics,
  findSnapshot,
  resolveFolder,
} from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import { openSession, type Session } from "../opening/session.ts";
import { parseSnapshotPath } from "../options/snapshot-path.ts";
import type { CommandModule } from "../program.ts";
import { reportOf } from "../render-error.ts";
import { shortId } from "../snapshots/render-snapshots.ts";
import { formatBytes, formatCount } from "../terminal/format-values.ts";
import { LineWriter } from "../terminal/line-writer.ts";
import { printableName, printableText } from "../terminal/printable.ts";
import { lineWithName } from "../terminal/progress-bar.ts";
import { ProgressTicker } from "../terminal/progress-ticker.ts";
import { renderTable } from "../terminal/table.ts";

interface DiffFlags {
  readonly metadata?: true;
}

const DESCRIPTION = `Show what differs between two snapshots, or two folders in them.

  +  added       M  other content     T  another type
  -  removed     U  other metadata    ?  other content, and nothing else: bit rot`;

export const define: CommandModule["define"] = (command, run) => {
  command
    .description(DESCRIPTION)
    .argument("<before[:path]>", "an id or `latest`, perhaps with a folder in it")
    .argument("<after[:path]>", "what it is compared with")
    .option("--metadata", "show also what differs in its metadata only")
    .action(
      run<DiffFlags>(async (context, flags, [before = "", after = ""]) =>
        diff(context, flags, before, after),
      ),
    );
};

async function diff(
  context: CommandContext,
  flags: DiffFlags,
  beforeText: string,
  afterText: string,
): Promise<number> {
  const { terminal, globals } = context;
  await using session = await openSession(context, { lock: "shared" });
  const { repository, signal } = session;
  await repository.loadIndex({ includeMarked: true, signal });
  const before = await findTree(session, beforeText);
  const after = await findTree(session, afterText);
  const writer = new LineWriter(terminal);
  if (!globals.json && !globals.quiet) {
    writer.writeText(`comparing snapshot ${shortId(before.id)} to ${shortId(after.id)}:`);
    writer.writeText("");
  }
  // In a log, lines about the progress would stand between the results.
  const quiet = globals.quiet || globals.json || !terminal.isLive;
  using ticker = new ProgressTicker({ terminal, env: context.env, quiet, json: false });
  let folder = "";
  ticker.start({
    lines: (columns) => [lineWithName("comparing", folder, columns)],
    logLine: () => `comparing ${folder}`,
  });
  const statistics = await diffTrees({
    repository,
    onFolder: (path) => (folder = printableName(path)),
    before: before.tree,
    after: after.tree,
    metadata: flags.metadata === true,
    signal,
    onChange: ({ path, modifier }) => {
      if (globals.quiet) return;
      if (!globals.json) return writer.writeNames(`${modifier.padEnd(5)}${path}`);
      const message = { message_type: "change", path: displayText(path), modifier };
      writer.writeText(JSON.stringify(message));
    },
    onProblem: (error) => {
      const { what, why } = reportOf(error);
      const message = `${what}: ${why ?? ""}`;
      terminal.printError(
        globals.json
          ? JSON.stringify({ message_type: "error", error: { message } })
          : printableText(`error: ${message}`),
      );
    },
  });
  ticker.stop();
  if (globals.json) {
    writer.writeText(JSON.stringify(statisticsMessage(beforeText, afterText, statistics)));
  } else {
    for (const line of renderStatistics(statistics)) writer.writeText(line);
  }
  writer.flush();
  return statistics.problems > 0 ? 1 : 0;
}

async function findTree(
  { repository, signal }: Session,
  text: string,
): Promise<{ readonly id: string; readonly tree: string }> {
  const { snapshot, path } = parseSnapshotPath(text);
  const { id, tree } = await findSnapshot(repository, snapshot, {}, { signal });
  return { id, tree: await resolveFolder(repository, tree, path, { signal }) };
}

function countsMessage(counts: DiffCounts): Record<string, number> {
  const { files, dirs, others, dataBlobs, treeBlobs, bytes } = counts;
  return { files, dirs, others, data_blobs: dataBlobs, tree_blobs: treeBlobs, bytes };
}

/** restic's message at the end. */
function statisticsMessage(
  before: string,
  after: string,
  statistics: DiffStatistics,
): Record<string, unknown> {
  return {
    message_type: "statistics",
    source_snapshot: before,
    target_snapshot: after,
    changed_files: statistics.changedFiles,
    added: countsMessage(statistics.added),
    removed: countsMessage(statistics.removed),
  };
}

function renderStatistics({ added, removed, changedFiles }: DiffStatistics): string[] {
  const row = (title: string, key: keyof DiffCounts, changed = ""): string[] => {
    const format = key === "bytes" ? formatBytes : formatCount;
    return [title, format(added[key]), format(removed[key]), changed];
  };
  const table = renderTable(
    [
      { title: "" },
      { title: "added", align: "right" },
      { title: "removed", align: "right" },
      { title: "changed", align: "right" },
    ],
    [
      row("files", "files", formatCount(changedFiles)),
      row("folders", "dirs"),
      row("others", "others"),
      row("data blobs", "dataBlobs"),
      row("tree blobs", "treeBlobs"),
      row("size of blobs", "bytes"),
    ],
  );
  return ["", ...table];
}
