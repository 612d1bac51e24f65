import { ComebackError } from "@comeback/core";
import { close, statAt, statFd, AT_FDCWD } from "@comeback/platform";
import { resolveFolder } from "../listing/resolve-path.ts";
import { FileOutcomes } from "./file-outcomes.ts";
import { HardLinks } from "./hard-links.ts";
import type { RestoreOptions, RestoreResult } from "./restore-options.ts";
import { RestoreRun } from "./restore-run.ts";
import { RestoreWalk } from "./restore-walk.ts";
import { TargetTree } from "./target-directory.ts";
import { openTarget } from "./target-root.ts";
import { VerifyWalk } from "./verify-files.ts";
import { SnapshotWalk } from "./snapshot-walk.ts";

/**
 * Restores a snapshot, or a part of it, into a directory. What cannot be restored is named in the
 * result; everything else is restored. Nothing outside the target is written, and no symlink in it
 * is followed.
 *
 * Rejects where nothing can be restored at all, and with the signal's reason where that aborts. A
 * file that was under way then has not got its modification time yet, so that a further restore
 * (also one with "if-changed") completes it.
 */
export async function restore(options: RestoreOptions): Promise<RestoreResult> {
  const { repository, snapshot, subpath = "", signal } = options;
  refuseNonsense(options);
  signal?.throwIfAborted();
  const treeId = await resolveFolder(repository, snapshot.tree, subpath, { signal });
  const rootFd = openTarget(options.target, options.dryRun ?? false);
  try {
    if (rootFd !== undefined) refuseEmptyingTheRoot(options, rootFd);
    await using run = new RestoreRun(options, rootFd);
    return await restoreTree(run, treeId);
  } finally {
    if (rootFd !== undefined) close(rootFd);
  }
}

async function restoreTree(run: RestoreRun, treeId: string): Promise<RestoreResult> {
  const { meter, options } = run;
  const tree = new TargetTree(run);
  const links = new HardLinks(run, tree);
  using outcomes = new FileOutcomes(run, tree, links);
  const walk = new RestoreWalk(run, tree, links, outcomes);
  try {
    await new SnapshotWalk(run, walk).walk(treeId, tree.root);
    meter.allSeen();
    await walk.finish();
  } catch (error) {
    // Workers must be done before what they write to is closed. The first failure counts.
    run.fail(error);
    await walk.settle();
    throw run.signal.reason;
  }
  if (options.verify === true && !run.dryRun) {
    meter.live.stage = "verify";
    await verify(run, treeId, new VerifyWalk(run, outcomes.written, walk.unreadableTrees));
  }
  return { ...meter.counts, treeId, problemsKept: meter.problems };
}

async function verify(run: RestoreRun, treeId: string, walk: VerifyWalk): Promise<void> {
  try {
    await new SnapshotWalk(run, walk).walk(treeId, { path: "" });
  } catch (error) {
    // A tree that was lost meanwhile has been named; what was asked for until then is answered.
    if (run.signal.aborted || !run.meter.problems.some(({ during }) => during === "verify")) {
      run.fail(error);
    }
  }
  await walk.finish();
}

function refuseNonsense({ dryRun, verify: wantsVerify }: RestoreOptions): void {
  if (dryRun === true && wantsVerify === true) {
    throw new ComebackError("option.invalid", "a dry run restores nothing that could be verified", {
      next: "leave out --dry-run or --verify",
    });
  }
}

/** As restic does: removing everything that is not in a snapshot from `/` is never meant. */
function refuseEmptyingTheRoot(options: RestoreOptions, rootFd: number): void {
  if (options.delete !== true || options.select !== undefined) return;
  const target = statFd(rootFd);
  const root = statAt(AT_FDCWD, "/");
  if (target.inode !== root.inode || target.deviceId !== root.deviceId) return;
  throw new ComebackError("option.invalid", "--delete in / needs an include or exclude pattern", {
    next: "say with --include or --exclude what may be removed",
  });
}
