import type { ByteString } from "@comeback/core";
import { ExitCode } from "@comeback/core";
import {
  findSnapshot,
  OVERWRITE_MODES,
  type OverwriteMode,
  restore,
  type SelectEntry,
  startWorkersEarly,
} from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import { openSession } from "../opening/session.ts";
import { bytesOfArgument } from "../options/argument-bytes.ts";
import { badUsage } from "../options/option-error.ts";
import { parseChoice } from "../options/parse-values.ts";
import { readPatternLists } from "../options/read-patterns.ts";
import { gather } from "../options/repeatable.ts";
import { addFilterOptions, type FilterFlags, filterOf } from "../options/snapshot-filter.ts";
import { parseSnapshotPath } from "../options/snapshot-path.ts";
import type { CommandModule } from "../program.ts";
import { exitErrorMessage, incomplete } from "../render-error.ts";
import { RestoreReporter } from "../restore/restore-reporter.ts";
import { selectAllBut, selectOnly } from "../restore/select-entries.ts";
import { shortenMiddle } from "../terminal/display-width.ts";
import { snapshotTitle } from "../snapshots/render-snapshots.ts";

interface RestoreFlags extends FilterFlags {
  readonly target?: string;
  readonly include: readonly string[];
  readonly iinclude: readonly string[];
  readonly includeFile: readonly string[];
  readonly iincludeFile: readonly string[];
  readonly exclude: readonly string[];
  readonly iexclude: readonly string[];
  readonly excludeFile: readonly string[];
  readonly iexcludeFile: readonly string[];
  readonly overwrite: string;
  readonly delete?: true;
  readonly dryRun?: true;
  readonly verify?: true;
  readonly sparse?: true;
}

/** What is asked for, checked. */
interface Wish {
  readonly snapshot: string;
  readonly path: ByteString;
  readonly target: string;
  readonly select: SelectEntry | undefined;
  readonly overwrite: OverwriteMode;
  readonly flags: RestoreFlags;
}

export const define: CommandModule["define"] = (command, run) => {
  command
    .argument("<snapshot[:path]>", "an id or `latest`, perhaps with a folder in it")
    .option("-t, --target <folder>", "where to; made where it is missing")
    .option("-i, --include <pattern>", "only what matches; repeatable", gather, [])
    .option("--iinclude <pattern>", "the same in upper or lower case", gather, [])
    .option("--include-file <file>", "patterns from a file; repeatable", gather, [])
    .option("--iinclude-file <file>", "the same in upper or lower case", gather, [])
    .option("-e, --exclude <pattern>", "not what matches; repeatable", gather, [])
    .option("--iexclude <pattern>", "the same in upper or lower case", gather, [])
    .option("--exclude-file <file>", "patterns from a file; repeatable", gather, [])
    .option("--iexclude-file <file>", "the same in upper or lower case", gather, [])
    .option("--overwrite <mode>", "always, if-changed, if-newer or never", "always")
    .option("--delete", "remove from the target what the snapshot does not have")
    .option("--dry-run", "change nothing, tell what would be done; -vv names it all")
    .option("--verify", "read every restored file again and compare it")
    .option("--sparse", "leave holes where files are zero");
  addFilterOptions(command).action(
    run<RestoreFlags>(async (context, flags, [name = ""]) =>
      runRestore(context, await understand(flags, name, context.env)),
    ),
  );
};

async function understand(
  flags: RestoreFlags,
  name: string,
  env: NodeJS.ProcessEnv,
): Promise<Wish> {
  if (flags.target === undefined || flags.target === "") {
    throw badUsage(
      "restore to where?",
      "name a folder with --target; `--target /` restores to where the files were",
    );
  }
  const { snapshot, path } = parseSnapshotPath(name);
  const overwrite = parseChoice("--overwrite", flags.overwrite, OVERWRITE_MODES);
  return {
    snapshot,
    path,
    target: flags.target,
    overwrite,
    select: await selection(flags, env),
    flags,
  };
}

async function selection(
  flags: RestoreFlags,
  env: NodeJS.ProcessEnv,
): Promise<SelectEntry | undefined> {
  const includes = await readPatternLists(
    "include",
    {
      patterns: flags.include,
      files: flags.includeFile,
      ignoreCasePatterns: flags.iinclude,
      ignoreCaseFiles: flags.iincludeFile,
    },
    env,
  );
  const excludes = await readPatternLists(
    "exclude",
    {
      patterns: flags.exclude,
      files: flags.excludeFile,
      ignoreCasePatterns: flags.iexclude,
      ignoreCaseFiles: flags.iexcludeFile,
    },
    env,
  );
  if (includes.length > 0 && excludes.length > 0) {
    throw badUsage("include and exclude patterns contradict each other", "use one of the two");
  }
  if (includes.length > 0) return selectOnly(includes);
  return excludes.length > 0 ? selectAllBut(excludes) : undefined;
}

async function runRestore(context: CommandContext, wish: Wish): Promise<number> {
  const { terminal, globals } = context;
  const { flags, target } = wish;
  const dryRun = flags.dryRun === true;
  await using _workers = startWorkersEarly();
  await using session = await openSession(context, { lock: "shared" });
  const { repository, signal } = session;
  const filter = filterOf(flags, context.env);
  const [snapshot] = await Promise.all([
    findSnapshot(repository, wish.snapshot, filter, { signal }),
    repository.loadIndex({ includeMarked: true, signal }),
  ]);
  if (!globals.json && !globals.quiet) {
    const title = `restoring ${snapshotTitle(snapshot)}`;
    terminal.print(terminal.stdoutIsTerminal ? shortenMiddle(title, terminal.columns) : title);
  }
  using reporter = new RestoreReporter(context);
  const startMs = performance.now();
  const result = await restore({
    repository,
    snapshot,
    target: bytesOfArgument(target),
    overwrite: wish.overwrite,
    delete: flags.delete === true,
    dryRun,
    verify: flags.verify === true,
    sparse: flags.sparse === true,
    signal,
    observer: reporter.observer,
    ...(wish.path === "/" ? {} : { subpath: wish.path }),
    ...(wish.select === undefined ? {} : { select: wish.select }),
  });
  const elapsedMs = performance.now() - startMs;
  reporter.finish({
    result,
    elapsedMs,
    dryRun,
    verified: flags.verify === true && !dryRun,
    target,
  });
  if (result.problems === 0) return ExitCode.done;
  const report = incomplete("restore.incomplete", "not everything was restored", ExitCode.failed);
  if (globals.json) terminal.printError(exitErrorMessage(report));
  return report.exitCode;
}
