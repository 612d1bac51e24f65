import { ComebackError } from "@comeback/core";
import { extendRetention, planRetention, retentionOf } from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import { openSession } from "../opening/session.ts";
import { badUsage, badValue } from "../options/option-error.ts";
import { parseChoice, parseLongDurationMs } from "../options/parse-values.ts";
import { addFilterOptions, type FilterFlags, filterOf } from "../options/snapshot-filter.ts";
import type { CommandModule } from "../program.ts";
import { findSnapshots } from "../snapshots/find-snapshots.ts";
import { formatMany } from "../terminal/format-values.ts";

interface RetentionFlags extends FilterFlags {
  readonly for?: string;
  readonly until?: string;
  readonly dryRun?: true;
}

const ACTIONS = ["extend", "probe"] as const;

const DESCRIPTION = `Keep what is stored from being deleted, by whomsoever, for a time.

  extend [SNAPSHOT...]  all that these snapshots need is kept at least until then
  probe                 write a small locked object, try to delete it, and say
                        whether the store refused

Needs storage that locks files (-o s3.object-lock=…). Nothing is ever shortened.`;

export const define: CommandModule["define"] = (command, run) => {
  addFilterOptions(
    command
      .description(DESCRIPTION)
      .argument("<action>", "extend or probe")
      .argument("[snapshot...]", "ids, or `latest`; default: all snapshots"),
  )
    .option("--for <duration>", "from now on, such as 30d or 4w")
    .option("--until <date>", "a day, such as 2030-12-31 (in UTC, its end)")
    .option("--dry-run", "change nothing, tell what would be extended")
    .action(
      run<RetentionFlags>(async (context, flags, [action = "", ...names]) => {
        if (parseChoice("the action of `retention`", action, ACTIONS) === "probe") {
          return await probe(context);
        }
        return await extend(context, flags, names);
      }),
    );
};

async function extend(
  context: CommandContext,
  flags: RetentionFlags,
  names: readonly string[],
): Promise<number> {
  const { terminal, globals, env } = context;
  const untilMs = untilOf(flags, context.clock.now());
  await using session = await openSession(context, { lock: "shared" });
  const { repository, signal } = session;
  const snapshots = await findSnapshots(session, names, filterOf(flags, env));
  await repository.loadIndex({ includeMarked: true, signal });
  const plan = await planRetention({ repository, snapshots, signal });
  const isDryRun = flags.dryRun === true;
  const { extended, failed } = isDryRun
    ? { extended: 0, failed: [] }
    : await extendRetention(repository, plan, { untilMs, signal });
  const until = new Date(untilMs).toISOString();
  if (globals.json) {
    const message = {
      message_type: "summary",
      dry_run: isDryRun,
      until,
      snapshots: plan.snapshots,
      packs: plan.packs,
      files: plan.files.length,
      files_extended: extended,
      files_failed: failed.length,
    };
    terminal.print(JSON.stringify(message));
  } else if (!globals.quiet) {
    const what = `${formatMany(plan.snapshots, "snapshot")}, ${formatMany(plan.packs, "pack")}`;
    const all = formatMany(plan.files.length, "file");
    const verb = isDryRun ? "would be kept" : "kept";
    terminal.print(`${verb} at least until ${until}: ${what}, ${all} in all`);
  }
  const [first] = failed;
  if (first === undefined) return 0;
  throw new ComebackError("backend.retained", `${formatMany(failed.length, "file")} not extended`, {
    why: `the first, ${first.file.type} ${first.file.name.slice(0, 10)}: ${first.message}`,
    next: "mend that, then repeat the command: what is extended stays so",
  });
}

function untilOf(flags: RetentionFlags, nowMs: number): number {
  if ((flags.for === undefined) === (flags.until === undefined)) {
    throw badUsage("until when?", "give --for or --until, one of them");
  }
  if (flags.for !== undefined) return nowMs + parseLongDurationMs("--for", flags.for);
  const text = flags.until ?? "";
  const untilMs = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T23:59:59Z`) : Number.NaN;
  if (untilMs > nowMs) return untilMs;
  throw badValue("--until", text, "a day to come, such as 2030-12-31");
}

async function probe(context: CommandContext): Promise<number> {
  const { terminal, globals } = context;
  await using session = await openSession(context, { lock: "none" });
  const { repository, signal } = session;
  const { location } = repository.backend;
  const probed = await retentionOf(repository).probe?.({ signal });
  if (probed === undefined) {
    throw new ComebackError("option.invalid", `locks cannot be probed in ${location}`, {
      next: "try to delete a file of it with the store's own tools",
    });
  }
  if (globals.json) {
    terminal.print(JSON.stringify({ message_type: "summary", enforced: probed.isEnforced }));
  }
  if (!probed.isEnforced) {
    throw new ComebackError("backend.misconfigured", `${location} does not keep what is locked`, {
      why: probed.answer,
      next: "do not rely on it: use a store that enforces Object Lock, or other credentials",
    });
  }
  if (!globals.json && !globals.quiet) {
    terminal.print(`the store refused to delete a locked file: ${probed.answer}`);
  }
  return 0;
}
