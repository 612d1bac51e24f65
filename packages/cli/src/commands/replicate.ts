import { ComebackError } from "@comeback/core";
import type { CommandContext } from "../context.ts";
import { findBackend, repositoryLocation } from "../opening/find-backend.ts";
import { openSession } from "../opening/session.ts";
import { badUsage } from "../options/option-error.ts";
import { parseChoice } from "../options/parse-values.ts";
import type { CommandModule } from "../program.ts";
import { findTarget } from "../replicate/find-target.ts";
import {
  planMessage,
  renderPlan,
  renderSummary,
  summaryMessage,
} from "../replicate/render-replication.ts";
import { carryOut, prepareReplication } from "../replicate/replicate.ts";
import type { ReplicationResult } from "../replicate/replicate.ts";
import { requireLock } from "../snapshots/change-tags-report.ts";
import { formatMany } from "../terminal/format-values.ts";

const VERIFY_MODES = ["sample", "all", "none"] as const;

interface ReplicateFlags {
  readonly to?: string;
  readonly rsyncArgs?: string;
  readonly delete?: true;
  readonly verify: string;
  readonly dryRun?: true;
}

const DESCRIPTION = `Keep a second copy of a repository's folder, file by file.

Files go in an order that keeps the copy a whole repository at every moment, and
restic and Comeback read it as it is: with the same keys. Only what is missing is
sent. Locks stay behind. To copy snapshots between repositories, use \`copy\`.`;

export const define: CommandModule["define"] = (command, run) => {
  command
    .description(DESCRIPTION)
    .option("--to <target>", "rsync:[USER@]HOST:/PATH, rsync:/PATH or command:/PROGRAM")
    .option("--rsync-args <arguments>", "further arguments for rsync, such as `-e 'ssh -p 2222'`")
    .option("--delete", "then remove what the source does not have any more")
    .option("--verify <mode>", "compare contents afterwards: sample, all or none", "sample")
    .option("-n, --dry-run", "only show what would be done")
    .action(run<ReplicateFlags>((context, flags) => runReplicate(context, flags)));
};

async function runReplicate(context: CommandContext, flags: ReplicateFlags): Promise<number> {
  const startMs = performance.now();
  const { terminal, globals, random, env } = context;
  const { to } = flags;
  if (to === undefined) throw badUsage("no target is given", "use --to rsync:HOST:/PATH");
  const verify = parseChoice("--verify", flags.verify, VERIFY_MODES);
  const [dryRun, removes] = [flags.dryRun === true, flags.delete === true];
  if (!dryRun) requireLock(context, "replicating");
  await assertFolder(context);
  // Backups may run meanwhile; whoever removes packs or replaces an index may not.
  await using session = await openSession(context, {
    lock: dryRun ? "none" : "shared",
    activity: "prune",
    useCache: false,
  });
  const { repository, signal } = session;
  const folder = repository.backend.location;
  const { rsyncArgs } = flags;
  const target = findTarget({ to, rsyncArgs, folder, repositoryId: repository.config.id, env });
  await session.mayWrite;
  const plan = await prepareReplication({ source: repository.backend, target, removes, signal });
  if (globals.json) terminal.print(planMessage(plan, target.location, dryRun));
  else if (!globals.quiet) terminal.print(renderPlan(plan, target.location, removes).join("\n"));
  if (dryRun) return 0;
  const say = (text: string): void => {
    if (!globals.json && !globals.quiet) terminal.showStatus([text]);
  };
  const result = await carryOut({
    plan,
    target,
    folder,
    verify,
    random,
    signal,
    onStage: ({ action, type, files }) =>
      say(
        `${action === "send" ? "sending" : "removing"} ${formatMany(files.length, `${type} file`)}`,
      ),
    onComparing: (files) => say(`comparing ${formatMany(files, "file")}`),
  }).finally(() => terminal.clearStatus());
  const elapsedMs = performance.now() - startMs;
  if (globals.json) terminal.print(summaryMessage(result, elapsedMs));
  else if (!globals.quiet) terminal.print(renderSummary(result, elapsedMs).join("\n"));
  if (result.wrong.length === 0) return 0;
  throw incomplete(result, target.location);
}

async function assertFolder({ globals }: CommandContext): Promise<void> {
  const { factory } = await findBackend(await repositoryLocation(globals));
  if (factory.scheme === "") return;
  throw new ComebackError("option.invalid", "only a repository in a folder can be replicated", {
    why: "files are read from where they lie on this machine",
    next: "use `copy` between repositories of any kind",
  });
}

function incomplete({ wrong }: ReplicationResult, location: string): ComebackError {
  return new ComebackError("replicate.incomplete", "the copy is not as the source", {
    why: `${formatMany(wrong.length, "file")} at ${location} differ or are missing`,
    next:
      "nothing was overwritten or removed, for either side may be the damaged one: a file's name " +
      "is the SHA-256 of what it should hold. Run `comeback check --read-data` on the source; if " +
      "that is whole, remove these files from the copy and repeat",
  });
}
