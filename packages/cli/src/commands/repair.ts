import type { Command } from "commander";
import { ComebackError } from "@comeback/core";
import {
  findSnapshot,
  planIndexRepair,
  planPackRepair,
  planSnapshotRepair,
  repairIndex,
  repairPacks,
  repairSnapshots,
} from "@comeback/engine";
import type { CommandContext } from "../context.ts";
import { openSession, type Session } from "../opening/session.ts";
import { badUsage } from "../options/option-error.ts";
import { parseChoice } from "../options/parse-values.ts";
import { addFilterOptions, type FilterFlags, filterOf } from "../options/snapshot-filter.ts";
import type { CommandModule } from "../program.ts";
import { keepPack } from "../repair/keep-pack.ts";
import {
  indexRepairMessage,
  renderIndexPlan,
  renderIndexResult,
} from "../repair/render-index-repair.ts";
import {
  packRepairMessage,
  renderPackPlan,
  renderPackResult,
} from "../repair/render-pack-repair.ts";
import {
  renderSnapshotPlan,
  renderSnapshotResult,
  snapshotRepairMessage,
} from "../repair/render-snapshot-repair.ts";
import { repairHotPart } from "../repair/repair-hot-part.ts";
import { startRepair } from "../repair/start-repair.ts";
import { requireLock } from "../snapshots/change-tags-report.ts";
import { formatMany } from "../terminal/format-values.ts";

interface RepairFlags extends FilterFlags {
  readonly readAllPacks?: true;
  readonly forget?: true;
  readonly dryRun?: true;
}

const TARGETS = ["index", "packs", "snapshots", "hot"] as const;
type Target = (typeof TARGETS)[number];

const DESCRIPTION = `Repair what \`comeback check\` finds damaged, in this order:

  index        list what the packs hold: in place of index files that are
               damaged or lost, and without packs that are gone
  packs ID...  save the intact blobs of damaged packs into new packs; the
               damaged ones are kept as files in the working folder
  snapshots    cut out of the snapshots what is lost for good: back up
               again first, which stores what the source still has
  hot          make the hot part (--repo-hot) hold what it should, from the
               cold one: also a new hot part, or one that was lost

What is to be done is shown first; --dry-run shows it and does nothing.`;

export const define: CommandModule["define"] = (command, run) => {
  addRepairOptions(command.description(DESCRIPTION)).action(
    run<RepairFlags>(async (context, flags, [word = "", ...ids]) => {
      const target = parseChoice("what to repair", word, TARGETS);
      assertUsage(target, flags, ids);
      if (flags.dryRun !== true) requireLock(context, "a repair");
      if (target === "hot") return repairHotPart(context, flags.dryRun === true);
      if (target === "index") return index(context, flags);
      return target === "packs" ? packs(context, flags, ids) : snapshots(context, flags, ids);
    }),
  );
};

function addRepairOptions(command: Command): Command {
  return addFilterOptions(
    command
      .argument("<what>", "index, packs, snapshots or hot")
      .argument("[id...]", "packs or snapshots; snapshots by default: all")
      .option("-n, --dry-run", "show what would be done, and do nothing")
      .option("--read-all-packs", "index: believe no index file, read every pack's header")
      .option("--forget", "snapshots: put the repaired ones in the old ones' place"),
  );
}

/** An option that would do nothing is a misunderstanding. */
function assertUsage(target: Target, flags: RepairFlags, ids: readonly string[]): void {
  const refuse = (option: string, of: Target): never => {
    throw badUsage(`${option} is an option of \`repair ${of}\``, "leave it out");
  };
  if (target !== "index" && flags.readAllPacks === true) refuse("--read-all-packs", "index");
  if (target !== "snapshots") {
    if (flags.forget === true) refuse("--forget", "snapshots");
    if (flags.host.length > 0) refuse("--host", "snapshots");
    if (flags.tag.length > 0) refuse("--tag", "snapshots");
    if (flags.path.length > 0) refuse("--path", "snapshots");
  }
  if ((target === "index" || target === "hot") && ids.length > 0) {
    throw badUsage(`\`repair ${target}\` takes no ids`, "leave them out");
  }
  if (target === "packs" && ids.length === 0) {
    throw badUsage("repair which packs?", "`comeback check --read-data` names the damaged ones");
  }
}

/** Without a cache: what it holds would hide damage in the repository. */
function open(context: CommandContext, lock: "shared" | "exclusive"): Promise<Session> {
  return openSession(context, { lock, useCache: false });
}

async function index(context: CommandContext, flags: RepairFlags): Promise<number> {
  const dryRun = flags.dryRun === true;
  await using session = await open(context, dryRun ? "shared" : "exclusive");
  using repair = startRepair(context);
  const { observer } = repair;
  const { repository, signal } = session;
  // Others may have been at work until the lock is confirmed: no plan may be older than that.
  await session.mayWrite;
  const readAllPacks = flags.readAllPacks === true;
  const plan = await planIndexRepair({ repository, readAllPacks, observer, signal });
  repair.show(renderIndexPlan(plan));
  if (dryRun) {
    repair.message(indexRepairMessage(plan));
    return 0;
  }
  const result = await repairIndex({ repository, plan, observer, signal });
  repair.message(indexRepairMessage(plan, result));
  if (plan.isNeeded) repair.show(renderIndexResult(result));
  const damaged = result.unreadablePacks.filter(({ isIndexed }) => isIndexed);
  if (damaged.length === 0) return 0;
  const ids = damaged.slice(0, 5).map(({ name }) => name.slice(0, 10));
  throw new ComebackError("repair.incomplete", "the index is repaired, but packs are damaged", {
    why: `the header of ${formatMany(damaged.length, "pack")} cannot be read`,
    next: `save what they hold: comeback repair packs ${ids.join(" ")}${
      damaged.length > ids.length ? " …" : ""
    }`,
  });
}

async function packs(
  context: CommandContext,
  flags: RepairFlags,
  ids: readonly string[],
): Promise<number> {
  const dryRun = flags.dryRun === true;
  await using session = await open(context, dryRun ? "shared" : "exclusive");
  using repair = startRepair(context);
  const { observer } = repair;
  const { repository, signal } = session;
  await session.mayWrite;
  await repository.loadIndex({ includeMarked: true, signal });
  const plan = await planPackRepair({ repository, packs: ids, observer, signal });
  repair.show(renderPackPlan(plan));
  if (dryRun || !plan.isNeeded) {
    repair.message(packRepairMessage(plan));
    return 0;
  }
  const result = await repairPacks({ repository, plan, keep: keepPack, observer, signal });
  repair.message(packRepairMessage(plan, result));
  repair.show(renderPackResult(result));
  return 0;
}

async function snapshots(
  context: CommandContext,
  flags: RepairFlags,
  names: readonly string[],
): Promise<number> {
  const dryRun = flags.dryRun === true;
  // It may build on packs that wait to be deleted: no prune may run meanwhile.
  const lock = { lock: "shared", activity: "prune", useCache: false } as const;
  await using session = await openSession(context, lock);
  using repair = startRepair(context);
  const { observer } = repair;
  const { repository, signal } = session;
  // A prune may be at its end: what is read before it is known to be over is out of date.
  await session.mayWrite;
  const filter = filterOf(flags, context.env);
  const plan = await planSnapshotRepair({
    repository,
    forget: flags.forget === true,
    ...(names.length === 0 ? { filter } : { ids: await idsOf(session, names, flags, context) }),
    observer,
    signal,
  });
  repair.show(renderSnapshotPlan(plan));
  if (dryRun) {
    repair.message(snapshotRepairMessage(plan));
    return 0;
  }
  const result = await repairSnapshots({ repository, plan, observer, signal });
  repair.message(snapshotRepairMessage(plan, result));
  repair.show(renderSnapshotResult(result, plan));
  return 0;
}

async function idsOf(
  { repository, signal }: Session,
  names: readonly string[],
  flags: RepairFlags,
  { env }: CommandContext,
): Promise<string[]> {
  const ids: string[] = [];
  for (const name of names) {
    const isLatest = name === "latest";
    const latest = isLatest
      ? await findSnapshot(repository, name, filterOf(flags, env), { signal })
      : undefined;
    ids.push(latest?.id ?? name);
  }
  return ids;
}
