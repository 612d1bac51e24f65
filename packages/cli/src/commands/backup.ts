import { hostname } from "node:os";
import { type ByteString, ExitCode, type Source } from "@comeback/core";
import {
  backup,
  type BackupResult,
  instantOfMilliseconds,
  readAhead,
  type Snapshot,
} from "@comeback/engine";
import { createFilesSource } from "@comeback/source-files";
import { BackupReporter } from "../backup/backup-reporter.ts";
import { backupToSeveral, type DoneBackup } from "../backup/backup-to-several.ts";
import { openDestinations } from "../backup/destinations.ts";
import { checkpointOf, type KeptCheckpoint } from "../backup/kept-checkpoint.ts";
import { findParent } from "../backup/find-parent.ts";
import { streamSource } from "../backup/stream-source.ts";
import type { CommandContext } from "../context.ts";
import { openSession, type Session } from "../opening/session.ts";
import { addAlsoToOptions, type AlsoTo } from "../options/also-to.ts";
import { bytesOfArgument } from "../options/argument-bytes.ts";
import { fromEnvironment } from "../options/environment-names.ts";
import {
  type GroupBy,
  parseGroupBy,
  parseInteger,
  parseSizeBytes,
  parseTagLists,
  parseTimeMs,
} from "../options/parse-values.ts";
import { gather } from "../options/repeatable.ts";
import type { CommandModule } from "../program.ts";
import { exitErrorMessage, incomplete } from "../render-error.ts";
import { shortId } from "../snapshots/render-snapshots.ts";
import { formatLocalTime } from "../terminal/format-values.ts";
import { PROGRAM_VERSION } from "../version.ts";

export interface BackupFlags {
  readonly dryRun?: true;
  readonly exclude: readonly string[];
  readonly iexclude: readonly string[];
  readonly excludeFile: readonly string[];
  readonly iexcludeFile: readonly string[];
  readonly excludeCaches?: true;
  readonly excludeIfPresent: readonly string[];
  readonly excludeLargerThan?: string;
  readonly filesFrom: readonly string[];
  readonly filesFromRaw: readonly string[];
  readonly filesFromVerbatim: readonly string[];
  readonly force?: true;
  readonly groupBy: string;
  readonly host?: string;
  readonly ignoreCtime?: true;
  readonly ignoreInode?: true;
  readonly oneFileSystem?: true;
  readonly parent?: string;
  readonly readConcurrency?: string;
  readonly scan: boolean;
  readonly skipIfUnchanged?: true;
  readonly stdin?: true;
  readonly stdinFilename: string;
  readonly stdinFromCommand?: true;
  readonly tag: readonly string[];
  readonly time?: string;
  readonly withAtime?: true;
}

export const define: CommandModule["define"] = (command, run) => {
  command
    .argument("[path...]", "files and folders; with --stdin-from-command: the command")
    .option("-n, --dry-run", "write nothing, tell what would be done; -vv names it all")
    .option("-e, --exclude <pattern>", "leave out what matches; repeatable", gather, [])
    .option("--iexclude <pattern>", "the same in upper or lower case", gather, [])
    .option("--exclude-file <file>", "patterns from a file; repeatable", gather, [])
    .option("--iexclude-file <file>", "the same in upper or lower case", gather, [])
    .option("--exclude-caches", "leave out folders marked by a CACHEDIR.TAG")
    .option("--exclude-if-present <name[:header]>", "... or by a file of this name", gather, [])
    .option("--exclude-larger-than <size>", "leave out larger files, such as 500M")
    .option("-x, --one-file-system", "stay on the file systems of the paths")
    .option("--files-from <file>", "what to save, patterns from a file", gather, [])
    .option("--files-from-verbatim <file>", "the same, taken as they are", gather, [])
    .option("--files-from-raw <file>", "the same, each ended by a NUL byte", gather, [])
    .option("--stdin", "save what comes in on standard input")
    .option("--stdin-filename <name>", "its name in the snapshot", "stdin")
    .option("--stdin-from-command", "save what a command prints, if it succeeds")
    .option("-H, --host <name>", "host name to save under; this host's if not given")
    .option("--tag <tag[,tag...]>", "tags for the snapshot; repeatable", gather, [])
    .option("--time <time>", "time of the snapshot: '2012-11-01 22:08:41'")
    .option("--parent <snapshot>", "compare with this one; the latest like it if not given")
    .option("-g, --group-by <group>", "what makes one like it", "host,paths")
    .option("-f, --force", "read every file again, compare with none")
    .option("--ignore-inode", "a new inode number or ctime is no change")
    .option("--ignore-ctime", "a new ctime is no change")
    .option("--skip-if-unchanged", "make no snapshot where nothing has changed")
    .option("--with-atime", "save access times")
    .option("--read-concurrency <n>", "threads that read and pack; one per core")
    .option("--no-scan", "do not count ahead for the progress bar");
  const others = addAlsoToOptions(command);
  command.action(
    run<BackupFlags>((context, flags, paths) => runBackup(context, flags, { paths, others })),
  );
};

async function runBackup(
  context: CommandContext,
  flags: BackupFlags,
  given: { readonly paths: readonly string[]; readonly others: readonly AlsoTo[] },
): Promise<number> {
  const startMs = performance.now();
  const { paths, others } = given;
  const settings = understand(context, flags);
  const dryRun = flags.dryRun === true;
  const usesStdin = flags.stdin === true || filesOf(flags).includes("-");
  const isStream = flags.stdin === true || flags.stdinFromCommand === true;
  const source = isStream
    ? streamSource(
        {
          fromCommand: flags.stdinFromCommand === true,
          words: paths,
          filename: flags.stdinFilename,
          time: instantOfMilliseconds(settings.timeMs),
          listFiles: filesOf(flags),
        },
        context.terminal,
      )
    : filesSource(flags, paths, context.env);
  // The walk begins while another thread derives the key from the password.
  await using walked = isStream ? undefined : readAhead(source, context.signal);
  const opening = { lock: dryRun ? "none" : "shared", stdinIsTaken: usesStdin } as const;
  const job = { flags, settings, source: walked ?? source, isStream, startMs };
  if (others.length === 0) {
    await using session = await openSession(context, opening);
    return exitCodeOf(context, (await backupInto(context, session, job)).result);
  }
  await using destinations = await openDestinations(context, others, opening);
  const result = await backupToSeveral(context, {
    destinations: destinations.list,
    dryRun,
    readsOnce: isStream,
    backup: (one, session) => backupInto(one, session, job),
  });
  return exitCodeOf(context, result);
}

/** What there is to do, whatever repository it goes to. */
interface Job {
  readonly flags: BackupFlags;
  readonly settings: Settings;
  readonly source: Source;
  readonly isStream: boolean;
  readonly startMs: number;
}

async function backupInto(
  context: CommandContext,
  session: Session,
  job: Job,
): Promise<DoneBackup> {
  const { flags, settings, source, isStream, startMs } = job;
  const dryRun = flags.dryRun === true;
  const { parent, kept } = await prepare(context, session, job);
  using reporter = new BackupReporter(context, { wantsTotals: flags.scan && !isStream });
  const result = await backup({
    repository: session.repository,
    source,
    time: instantOfMilliseconds(settings.timeMs),
    hostname: settings.hostname,
    tags: settings.tags,
    ...(parent === undefined ? {} : { parent }),
    ...(kept === undefined ? {} : kept),
    ignoreCtime: flags.ignoreCtime === true,
    ignoreInode: flags.ignoreInode === true,
    withAtime: flags.withAtime === true,
    dryRun,
    skipIfUnchanged: flags.skipIfUnchanged === true,
    ...(settings.readConcurrency === undefined
      ? {}
      : { readConcurrency: settings.readConcurrency }),
    programVersion: PROGRAM_VERSION,
    mayWrite: session.mayWrite,
    signal: session.signal,
    observer: reporter.observer,
  });
  reporter.finish({
    result,
    elapsedMs: performance.now() - startMs,
    dryRun,
    isVerbose: context.globals.verbosity > 0,
  });
  return { result, parent };
}

function exitCodeOf({ globals, terminal }: CommandContext, result: BackupResult): number {
  if (result.problemCount === 0) return ExitCode.done;
  const what = "some of the source could not be read";
  const report = incomplete("source.incomplete", what, ExitCode.sourceIncomplete);
  if (globals.json) terminal.printError(exitErrorMessage(report));
  return report.exitCode;
}

interface Settings {
  readonly timeMs: number;
  readonly hostname: string;
  readonly tags: readonly string[];
  readonly groupBy: GroupBy;
  readonly readConcurrency: number | undefined;
}

function understand({ env, clock }: CommandContext, flags: BackupFlags): Settings {
  const concurrency = flags.readConcurrency ?? fromEnvironment(env, "READ_CONCURRENCY");
  return {
    timeMs: flags.time === undefined ? clock.now() : parseTimeMs("--time", flags.time),
    hostname: flags.host || fromEnvironment(env, "HOST") || hostname(),
    tags: parseTagLists(flags.tag)
      .flat()
      .filter((tag) => tag !== ""),
    groupBy: parseGroupBy("--group-by", flags.groupBy),
    readConcurrency:
      concurrency === undefined
        ? undefined
        : parseInteger("--read-concurrency", concurrency, { min: 1, max: 256 }),
  };
}

function filesOf(flags: BackupFlags): string[] {
  return [...flags.filesFrom, ...flags.filesFromRaw, ...flags.filesFromVerbatim];
}

function filesSource(
  flags: BackupFlags,
  paths: readonly string[],
  environment: NodeJS.ProcessEnv,
): Source {
  const bytes = (texts: readonly string[]): ByteString[] => texts.map(bytesOfArgument);
  const { excludeLargerThan: larger } = flags;
  return createFilesSource({
    targets: bytes(paths),
    filesFrom: flags.filesFrom,
    filesFromVerbatim: flags.filesFromVerbatim,
    filesFromRaw: flags.filesFromRaw,
    exclude: bytes(flags.exclude),
    iexclude: bytes(flags.iexclude),
    excludeFiles: flags.excludeFile,
    iexcludeFiles: flags.iexcludeFile,
    excludeIfPresent: bytes(flags.excludeIfPresent),
    excludeCaches: flags.excludeCaches === true,
    excludeLargerThanBytes:
      larger === undefined ? undefined : parseSizeBytes("--exclude-larger-than", larger),
    oneFileSystem: flags.oneFileSystem === true,
    environment,
  });
}

/** What the backup is compared with: index, parent and the checkpoint of an interrupted one. */
async function prepare(
  context: CommandContext,
  session: Session,
  given: Job,
): Promise<{ parent: Snapshot | undefined; kept: KeptCheckpoint | undefined }> {
  const { flags, settings, source, isStream } = given;
  const { hostname } = settings;
  const { paths } = source;
  const wish = {
    name: flags.parent,
    groupBy: settings.groupBy,
    hostname,
    paths,
    tags: settings.tags,
    notAfterMs: settings.timeMs,
  };
  const isForced = flags.force === true;
  const withoutParent = isForced || (isStream && flags.parent === undefined);
  const [parent] = await Promise.all([
    withoutParent ? undefined : findParent(session, wish),
    // Only with the lock confirmed: nothing of what is read then may have gone.
    session.mayWrite.then(() => session.repository.loadIndex({ signal: session.signal })),
  ]);
  const kept = isStream
    ? undefined
    : await checkpointOf(context, session.repository, { hostname, paths, parent, isForced });
  const { terminal, globals } = context;
  if (!globals.json && !globals.quiet && !isStream) {
    terminal.print(comparisonLine(parent, kept));
  }
  return { parent, kept };
}

function comparisonLine(parent: Snapshot | undefined, kept: KeptCheckpoint | undefined): string {
  const checkpoint = kept?.resumeFrom;
  const interrupted =
    checkpoint && `the backup that was interrupted at ${formatLocalTime(checkpoint.time)}`;
  if (parent === undefined) {
    return interrupted === undefined
      ? "no earlier snapshot to compare with: every file is read"
      : `going on from ${interrupted}`;
  }
  const what = `comparing with snapshot ${shortId(parent.id)} from ${formatLocalTime(parent.time)}`;
  return interrupted === undefined ? what : `${what}, and going on from ${interrupted}`;
}
