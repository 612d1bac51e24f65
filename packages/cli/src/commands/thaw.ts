import { ComebackError, THAW_DAYS_DEFAULT } from "@comeback/core";
import { executeThaw, findSnapshot, planThaw, type ThawPlan, waitForThaw } from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import { openSession } from "../opening/session.ts";
import { badUsage } from "../options/option-error.ts";
import { parseInteger } from "../options/parse-values.ts";
import { addFilterOptions, type FilterFlags, filterOf } from "../options/snapshot-filter.ts";
import { parseSnapshotPath } from "../options/snapshot-path.ts";
import type { CommandModule } from "../program.ts";
import { formatMany } from "../terminal/format-values.ts";
import { ProgressTicker } from "../terminal/progress-ticker.ts";
import { parseThawPrice } from "../thaw/thaw-price-option.ts";
import { renderThawPlan, thawMessage, type ThawChoice } from "../thaw/render-thaw.ts";

interface ThawFlags extends FilterFlags {
  readonly tier?: string;
  readonly days: string;
  readonly price?: string;
  readonly wait?: true;
  readonly dryRun?: true;
}

const DESCRIPTION = `Make packs in archive classes readable, before a restore.

Says first what the snapshot, or a path in it, needs: how many packs, how large,
in which class, how long each tier takes, and about what it costs. Then asks the
store for those that cannot be read. Interrupted, or run again, it goes on from
where the store is. What is thawed stays readable for --days.`;

export const define: CommandModule["define"] = (command, run) => {
  addFilterOptions(
    command
      .description(DESCRIPTION)
      .argument("<snapshot[:path]>", "an id or `latest`, perhaps with a path in it"),
  )
    .option("--tier <tier>", "how quickly, in the store's own words; default: the cheapest")
    .option("--days <n>", "how long it stays readable", String(THAW_DAYS_DEFAULT))
    .option("--price <gb,packs>", "dollars per GB and per 1,000 packs, for the estimate")
    .option("--wait", "end only when everything can be read")
    .option("--dry-run", "ask for nothing, tell what would be asked for")
    .action(
      run<ThawFlags>(async (context, flags, [name = ""]) => {
        await thaw(context, flags, name);
        return 0;
      }),
    );
};

async function thaw(context: CommandContext, flags: ThawFlags, name: string): Promise<void> {
  const { terminal, globals, env } = context;
  const days = parseInteger("--days", flags.days, { min: 1, max: 365 });
  const price = flags.price === undefined ? undefined : parseThawPrice(flags.price);
  await using session = await openSession(context, { lock: "shared" });
  const { repository, signal } = session;
  const { snapshot: wanted, path } = parseSnapshotPath(name);
  const snapshot = await findSnapshot(repository, wanted, filterOf(flags, env), { signal });
  await repository.loadIndex({ includeMarked: true, signal });
  const plan = await planThaw({ repository, snapshot, path, signal });
  const tier = chosenTier(plan, flags.tier);
  const choice: ThawChoice = { tier, days, price, isDryRun: flags.dryRun === true };
  if (!globals.json && !globals.quiet) terminal.print(renderThawPlan(plan, choice).join("\n"));
  if (plan.missing.length > 0) throw packsMissing(plan);
  let asked = 0;
  if (flags.dryRun !== true && tier !== undefined) {
    asked = await executeThaw(repository, plan, { tier, days, signal });
  }
  if (flags.dryRun !== true && flags.wait === true) await wait(context, session, plan);
  if (globals.json) terminal.print(JSON.stringify(thawMessage(plan, choice, asked)));
  else if (!globals.quiet && flags.dryRun !== true) terminal.print(endLine(plan, asked, flags));
}

/** undefined: there is nothing to ask for. */
function chosenTier(plan: ThawPlan, wanted: string | undefined): string | undefined {
  if (plan.archived.length === 0) return undefined;
  const names = plan.tiers.map(({ name }) => name);
  const tier =
    wanted === undefined
      ? names[0]
      : names.find((name) => name.toLowerCase() === wanted.toLowerCase());
  if (tier !== undefined) return tier;
  throw badUsage(
    wanted === undefined ? "no tier fits all classes" : `there is no tier ${wanted} here`,
    `--tier takes ${names.join(", ")}`,
  );
}

async function wait(
  { terminal, globals, env }: CommandContext,
  { repository, signal }: Awaited<ReturnType<typeof openSession>>,
  plan: ThawPlan,
): Promise<void> {
  let line = "waiting for packs to become readable";
  using ticker = new ProgressTicker({ terminal, env, quiet: globals.quiet, json: globals.json });
  ticker.start({
    lines: () => [line],
    logLine: () => line,
    message: () => ({ message_type: "status", text: line }),
  });
  await waitForThaw(repository, plan, {
    signal,
    onLook: ({ readable, waiting }) => {
      line = `${formatMany(readable, "pack")} readable, ${waiting} still being thawed`;
    },
  });
}

function endLine(plan: ThawPlan, asked: number, flags: ThawFlags): string {
  if (flags.wait === true) return "everything can be read: restore now";
  const under = asked + plan.thawing.length;
  if (under === 0) return "everything can be read already: restore now";
  return `${formatMany(under, "pack")} being thawed; run this again with --wait, or later, to see`;
}

function packsMissing(plan: ThawPlan): ComebackError {
  const count = formatMany(plan.missing.length, "pack");
  return new ComebackError("repository.damaged", `${count} that a restore needs are missing`, {
    why: `the first is ${plan.missing[0] ?? ""}`,
    next: "run `comeback check` to see which snapshots that hits; nothing was asked for",
  });
}
