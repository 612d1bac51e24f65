import type { ByteString } from "@comeback/core";
import {
  findSnapshot,
  resolveFolder,
  resolvePath,
  type Snapshot,
  type WalkedNode,
  walkSnapshot,
} from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import { NcduWriter } from "../listing/ncdu-writer.ts";
import { longLine, nodeMessage } from "../listing/render-node.ts";
import { SORT_MODES, type SortMode, sortNodes } from "../listing/sort-nodes.ts";
import { openSession } from "../opening/session.ts";
import { bytesOfArgument } from "../options/argument-bytes.ts";
import { badUsage } from "../options/option-error.ts";
import { parseChoice } from "../options/parse-values.ts";
import { addFilterOptions, type FilterFlags, filterOf } from "../options/snapshot-filter.ts";
import { parseSnapshotPath } from "../options/snapshot-path.ts";
import type { CommandModule } from "../program.ts";
import { snapshotMessage, snapshotTitle } from "../snapshots/render-snapshots.ts";
import { LineWriter } from "../terminal/line-writer.ts";

interface LsFlags extends FilterFlags {
  readonly long?: true;
  readonly recursive?: true;
  readonly humanReadable?: true;
  readonly sort: string;
  readonly reverse?: true;
  readonly ncdu?: true;
}

export const define: CommandModule["define"] = (command, run) => {
  addFilterOptions(
    command
      .argument("<snapshot[:path]>", "an id or `latest`, perhaps with a folder in it")
      .argument("[folder...]", "absolute paths: list these and what is directly in them"),
  )
    .option("-l, --long", "show mode, owner, size and time")
    .option("-R, --recursive", "list everything below the folders")
    .option("--human-readable", "show sizes as 1.2 MiB")
    .option("-s, --sort <mode>", "name, size, time, mtime, atime, ctime or extension", "name")
    .option("--reverse", "the other way round")
    .option("--ncdu", "print the format that `ncdu -f -` reads")
    .action(
      run<LsFlags>(async (context, flags, [name = "", ...folders]) => {
        await list(context, flags, name, folders.map(parseFolder));
        return 0;
      }),
    );
};

function parseFolder(text: string): ByteString {
  if (text.startsWith("/")) return bytesOfArgument(text);
  throw badUsage(`${text} is not an absolute path`, "folders in a snapshot begin with a slash");
}

async function list(
  context: CommandContext,
  flags: LsFlags,
  name: string,
  folders: readonly ByteString[],
): Promise<void> {
  const { terminal } = context;
  const sort = parseChoice("--sort", flags.sort, SORT_MODES);
  refuseContradictions(flags, sort, context.globals.json);
  const wanted = parseSnapshotPath(name);
  await using session = await openSession(context, { lock: "shared" });
  const { repository, signal } = session;
  const filter = filterOf(flags, context.env);
  const snapshot = await findSnapshot(repository, wanted.snapshot, filter, { signal });
  await repository.loadIndex({ includeMarked: true, signal });
  const treeId = await resolveFolder(repository, snapshot.tree, wanted.path, { signal });
  // A folder that is not there is an error, and not an empty list.
  for (const folder of folders) await resolvePath(repository, treeId, folder, { signal });
  const walk = { under: folders, recursive: flags.recursive === true, signal };
  const writer = new LineWriter(terminal);
  if (flags.ncdu === true) {
    const ncdu = new NcduWriter(writer);
    // What is listed is the tree of a folder, where one was named.
    ncdu.start({ ...snapshot, tree: treeId });
    const items = walkSnapshot(repository, treeId, { ...walk, ancestors: true });
    for await (const item of items) ncdu.add(item);
    ncdu.finish();
    return;
  }
  const show = startListing(context, flags, writer, snapshot);
  const items = walkSnapshot(repository, treeId, walk);
  if (sort === "name" && !flags.reverse) {
    for await (const item of items) show(item);
  } else {
    const all = await Array.fromAsync(items);
    for (const item of sortNodes(all, sort, flags.reverse === true)) show(item);
  }
  writer.flush();
}

function refuseContradictions(flags: LsFlags, sort: SortMode, json: boolean): void {
  if (flags.ncdu !== true) return;
  if (json) throw badUsage("--ncdu is a format, and so is --json", "leave one of them out");
  if (sort !== "name" || flags.reverse === true) {
    throw badUsage("ncdu sorts by itself", "leave --sort and --reverse out");
  }
}

/** Prints the head; the result prints an entry. */
function startListing(
  { globals }: CommandContext,
  flags: LsFlags,
  writer: LineWriter,
  snapshot: Snapshot,
): (item: WalkedNode) => void {
  if (globals.json) {
    const head = {
      ...snapshotMessage(snapshot),
      message_type: "snapshot",
      struct_type: "snapshot",
    };
    writer.writeText(JSON.stringify(head));
    return (item) => writer.writeText(nodeMessage(item));
  }
  if (!globals.quiet) writer.writeText(`${snapshotTitle(snapshot)}:`);
  const humanReadable = flags.humanReadable === true;
  return (item) => writer.writeNames(flags.long ? longLine(item, humanReadable) : item.path);
}
