import { displayText } from "@comeback/core";
import {
  ARCHIVE_FORMATS,
  type ArchiveFormat,
  dumpFile,
  dumpFolder,
  findSnapshot,
  resolveFolder,
  resolvePath,
} from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import { DumpProgress } from "../dump/dump-progress.ts";
import { writeBytesTo } from "../dump/write-bytes-to.ts";
import { SkippedEntries } from "../dump/skipped-entries.ts";
import { openSession, type Session } from "../opening/session.ts";
import { bytesOfArgument } from "../options/argument-bytes.ts";
import { badUsage } from "../options/option-error.ts";
import { parseChoice } from "../options/parse-values.ts";
import { addFilterOptions, type FilterFlags, filterOf } from "../options/snapshot-filter.ts";
import { parseSnapshotPath } from "../options/snapshot-path.ts";
import type { CommandModule } from "../program.ts";
import { ProgressTicker } from "../terminal/progress-ticker.ts";

interface DumpFlags extends FilterFlags {
  readonly archive: string;
  readonly target?: string;
}

export const define: CommandModule["define"] = (command, run) => {
  addFilterOptions(
    command
      .argument("<snapshot[:path]>", "an id or `latest`, perhaps with a folder in it")
      .argument("<file>", "a file, or a folder; / is everything"),
  )
    .option("-a, --archive <format>", "tar or zip, for folders", "tar")
    .option("-t, --target <file>", "write into this file; default: standard output")
    .action(
      run<DumpFlags>(async (context, flags, [name = "", path = ""]) => {
        await dump(context, flags, name, path);
        return 0;
      }),
    );
};

async function dump(
  context: CommandContext,
  flags: DumpFlags,
  name: string,
  pathText: string,
): Promise<void> {
  const { terminal } = context;
  const format = parseChoice("--archive", flags.archive, ARCHIVE_FORMATS);
  const wanted = parseSnapshotPath(name);
  await using session = await openSession(context, { lock: "shared" });
  const { repository, signal } = session;
  const filter = filterOf(flags, context.env);
  const snapshot = await findSnapshot(repository, wanted.snapshot, filter, { signal });
  await repository.loadIndex({ includeMarked: true, signal });
  const top = await resolveFolder(repository, snapshot.tree, wanted.path, { signal });
  const path = bytesOfArgument(pathText);
  const { node, treeId } = await resolvePath(repository, top, path, { signal });
  const skipped = new SkippedEntries();
  if (treeId !== undefined && flags.target === undefined && terminal.stdoutIsTerminal) {
    throw badUsage(
      `${displayText(path)} is a folder, and an archive of it is nothing for a terminal`,
      "redirect the output, or give --target FILE",
    );
  }
  using ticker = tickerFor(context, flags);
  const progress = new DumpProgress(() => context.clock.now());
  ticker.start(progress);
  const bytes = progress.count(
    treeId === undefined && node !== undefined
      ? dumpFile(repository, path, node, { signal })
      : archiveOf(session, { treeId: treeId ?? top, path, format }, skipped),
  );
  if (flags.target === undefined) await terminal.printStream(bytes);
  else await writeBytesTo(bytesOfArgument(flags.target), bytes);
  ticker.stop();
  const warning = skipped.describe(format);
  if (warning !== undefined) terminal.printError(`warning: ${warning}`);
}

/** Shows something only where it cannot get into the output. */
function tickerFor({ terminal, globals, env }: CommandContext, flags: DumpFlags): ProgressTicker {
  const isApart = flags.target !== undefined || !terminal.stdoutIsTerminal;
  const quiet = globals.quiet || globals.json || !terminal.isLive || !isApart;
  return new ProgressTicker({ terminal, env, quiet, json: false });
}

interface ArchivedFolder {
  readonly treeId: string;
  readonly path: string;
  readonly format: ArchiveFormat;
}

function archiveOf(
  { repository, signal }: Session,
  { treeId, path, format }: ArchivedFolder,
  skipped: SkippedEntries,
): AsyncGenerator<Uint8Array> {
  return dumpFolder({
    repository,
    treeId,
    format,
    prefix: path,
    signal,
    onSkipped: (_, { type }) => skipped.add(type),
  });
}
