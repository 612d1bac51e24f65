import type { ByteString } from "@comeback/core";
import {
  findSnapshot,
  resolveFolder,
  resolvePath,
  type WalkedNode,
  walkSnapshot,
} from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import { longLine, nodeMessage } from "../listing/render-node.ts";
import { SORT_MODES, sortNodes } from "../listing/sort-nodes.ts";
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
}

export const define: CommandModule["define"] = (command, run) => {
  addFilterOptions(
    command
      .argument("<snapshot[:path]>", "an id or `latest`, perhaps with a folder in it")
      .argument("[folder...]", "absolute paths: list these and what is directly in them"),
  )
    .option("-l, --long", "show mode, owner, size and time")
    .option("--recursive", "list everything below the folders")
    .option("--human-readable", "show sizes as 1.2 MiB")
    .option("-s, --sort <mode>", "name, size, time, mtime, atime, ctime or extension", "name")
    .option("--reverse", "the other way round")
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
  const { terminal, globals } = context;
  const sort = parseChoice("--sort", flags.sort, SORT_MODES);
  const wanted = parseSnapshotPath(name);
  await using session = await openSession(context, { lock: "shared" });
  const { repository, signal } = session;
  const filter = filterOf(flags, context.env);
  const snapshot = await findSnapshot(repository, wanted.snapshot, filter, { signal });
  await repository.loadIndex({ includeMarked: true, signal });
  const treeId = await resolveFolder(repository, snapshot.tree, wanted.path, { signal });
  // A folder that is not there is an error, and not an empty list.
  for (const folder of folders) await resolvePath(repository, treeId, folder, { signal });
  const writer = new LineWriter(terminal);
  const show = (item: WalkedNode): void => {
    if (globals.json) writer.writeText(nodeMessage(item));
    else if (flags.long) writer.writeNames(longLine(item, flags.humanReadable === true));
    else writer.writeNames(item.path);
  };
  if (globals.json) {
    const head = {
      ...snapshotMessage(snapshot),
      message_type: "snapshot",
      struct_type: "snapshot",
    };
    writer.writeText(JSON.stringify(head));
  } else if (!globals.quiet) {
    writer.writeText(`${snapshotTitle(snapshot)}:`);
  }
  const items = walkSnapshot(repository, treeId, {
    under: folders,
    recursive: flags.recursive === true,
    signal,
  });
  if (sort === "name" && !flags.reverse) {
    for await (const item of items) show(item);
  } else {
    const all = await Array.fromAsync(items);
    for (const item of sortNodes(all, sort, flags.reverse === true)) show(item);
  }
  writer.flush();
}
