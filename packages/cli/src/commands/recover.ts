import { planRecover, recover, type RecoverPlan, type Snapshot } from "@comeback/engine";
import { openSession } from "../opening/session.ts";
import { badUsage } from "../options/option-error.ts";
import { addFilterOptions } from "../options/snapshot-filter.ts";
import type { CommandModule } from "../program.ts";
import { type KitFlags, recoverKit } from "../recover-kit/recover-kit.ts";
import { mendingMessages, renderMendings } from "../repair/render-snapshot-repair.ts";
import { namedFew } from "../repair/named-few.ts";
import { startRepair } from "../repair/start-repair.ts";
import { requireLock } from "../snapshots/change-tags-report.ts";
import { shortId } from "../snapshots/render-snapshots.ts";
import { formatMany } from "../terminal/format-values.ts";
import { PROGRAM_VERSION } from "../version.ts";

interface RecoverFlags extends KitFlags {
  readonly kit?: true;
}

export const define: CommandModule["define"] = (command, run) => {
  command
    .description(
      "Make a snapshot of all folders that no snapshot leads to: of snapshots that were\n" +
        "removed by accident and not pruned yet, or whose own file is damaged. Each is a\n" +
        "folder in it, called by the beginning of its tree's id.\n\n" +
        "With --kit, bring back what it takes to begin again on a bare machine: the\n" +
        "configuration, the instructions, and what the catalog remembered.",
    )
    .option("-n, --dry-run", "show what would be recovered, and do nothing")
    .option("--kit", "restore the newest bootstrap kit, which every run of a plan leaves")
    .option("-t, --target <folder>", "where the kit goes to: an empty folder, or a new one");
  addFilterOptions(command).action(
    run<RecoverFlags>(async (context, flags) => {
      if (flags.kit === true) return recoverKit(context, flags);
      if (flags.target !== undefined) {
        throw badUsage("--target is for --kit", "restore the snapshot that this makes");
      }
      const dryRun = flags.dryRun === true;
      if (!dryRun) requireLock(context, "making a snapshot");
      // It may build on packs that wait to be deleted: no prune may run meanwhile.
      const lock = { lock: "shared", activity: "prune", useCache: false } as const;
      await using session = await openSession(context, lock);
      using report = startRepair(context);
      const { observer } = report;
      const { repository, signal } = session;
      // A prune may be at its end: what is read before it is known to be over is out of date.
      await session.mayWrite;
      await repository.loadIndex({ includeMarked: true, signal });
      const plan = await planRecover({ repository, observer, signal });
      report.show(renderRecoverPlan(plan));
      if (dryRun || !plan.isNeeded) {
        report.message(recoverMessage(plan, dryRun));
        return 0;
      }
      const programVersion = PROGRAM_VERSION;
      const snapshot = await recover({ repository, plan, programVersion, observer, signal });
      report.message(recoverMessage(plan, dryRun, snapshot));
      report.show([`saved new snapshot ${shortId(snapshot.id)}`]);
      return 0;
    }),
  );
};

function renderRecoverPlan(plan: RecoverPlan): string[] {
  const { trees, unreadableTrees, roots, mendings, mendingCount, packsNotIndexed } = plan;
  const damage = unreadableTrees === 0 ? "" : ` (${unreadableTrees} of them cannot be read)`;
  const lines = [`${formatMany(trees, "folder tree")} in the repository${damage}`];
  if (packsNotIndexed > 0) {
    lines.push(
      `note: ${formatMany(packsNotIndexed, "pack")} in no index file; \`comeback repair index\``,
      "      lists what is in them, and there may be more to recover",
    );
  }
  if (roots.length === 0) return [...lines, "no snapshot to write: snapshots lead to all of them"];
  const name = `${formatMany(roots.length, "folder")} to recover, that no snapshot leads to:`;
  lines.push(name, ...namedFew(roots.map((root) => root.name)));
  if (mendingCount > 0) lines.push("with this lost in them:");
  return [...lines, ...renderMendings(mendings, mendingCount)];
}

function recoverMessage(plan: RecoverPlan, dryRun: boolean, snapshot?: Snapshot): string {
  return JSON.stringify({
    message_type: "summary",
    dry_run: dryRun,
    trees: plan.trees,
    unreadable_trees: plan.unreadableTrees,
    roots: plan.roots.map(({ tree, mendedTree, name }) => {
      return { tree, recovered_tree: mendedTree, name };
    }),
    changes: mendingMessages(plan.mendings),
    change_count: plan.mendingCount,
    packs_not_indexed: plan.packsNotIndexed,
    ...(snapshot === undefined ? {} : { snapshot_id: snapshot.id }),
  });
}
