import { startWorkersEarly } from "@comeback/engine";
import { openSession } from "../opening/session.ts";
import type { CommandModule } from "../program.ts";
import { addPruneOptions, type PruneFlags, pruneWishOf } from "../prune/prune-flags.ts";
import { pruneAndReport, pruneLock } from "../prune/run-prune.ts";
import { requireLock } from "../snapshots/change-tags-report.ts";

interface PruneCommandFlags extends PruneFlags {
  readonly dryRun?: true;
}

export const define: CommandModule["define"] = (command, run) => {
  command.description(
    "Free the space of data that no snapshot needs. Others may back up and restore\n" +
      "meanwhile: packs are marked now, and deleted by a prune that runs --keep-delete\n" +
      "later or after that. With --instant they are deleted at once, as restic does,\n" +
      "and nobody else may work in the repository until it is done.",
  );
  addPruneOptions(command)
    .option("-n, --dry-run", "only show what would be done")
    .action(
      run<PruneCommandFlags>(async (context, flags) => {
        const wish = pruneWishOf(flags, context.globals);
        const dryRun = flags.dryRun === true;
        if (!dryRun) requireLock(context, "pruning");
        await using _workers = startWorkersEarly();
        await using session = await openSession(context, pruneLock(wish, dryRun));
        await pruneAndReport(context, session, { ...wish, dryRun });
        return 0;
      }),
    );
};
