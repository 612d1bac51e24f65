import { assert, type OperationOptions } from "@comeback/core";
import { CpuPool } from "../cpu-pool/cpu-pool.ts";
import { workerSetup } from "../cpu-pool/worker-setup.ts";
import { removeAbandoned } from "./left-overs.ts";
import { protectNewcomers } from "./newcomers.ts";
import { findOldHolder } from "./old-holders.ts";
import type { PreparedPrune, PruneWork } from "./plan.ts";
import { repackPacks } from "./repack.ts";
import type { PackAction, PruneObserver, PruneResult } from "./prune-options.ts";
import { listAgain, removeFiles, rewriteIndex } from "./rewrite-index.ts";

export interface ExecutePruneOptions extends OperationOptions {
  /** Resolves when writing is allowed. */
  readonly mayWrite?: Promise<void>;
  readonly observer?: PruneObserver;
}

/**
 * Carries a plan out: copies, then lists, then removes, so that at every moment all that is in use
 * is there and listed. What was stored since the plan was made is looked at before anything goes.
 * The repository's index has to be loaded again afterwards.
 */
export async function executePrune(
  { plan, work }: PreparedPrune,
  options: ExecutePruneOptions = {},
): Promise<PruneResult> {
  const { repository, state, progress, workers } = work;
  const { signal } = options;
  assert(!work.isSpent, "a plan is carried out once, and only one that counts every snapshot");
  work.isSpent = true;
  options.observer?.onStart?.(progress);
  await options.mayWrite;
  const isInstant = plan.mode === "instant";
  const deleted = { packs: 0, bytes: 0 };
  const remove = async (packs: ReadonlyMap<string, number>): Promise<void> => {
    progress.phase = "delete";
    await removeFiles(repository, "pack", packs.keys(), { signal }, (name) => {
      deleted.packs++;
      deleted.bytes += packs.get(name) ?? 0;
    });
  };
  // Nobody else is at work: what no index lists is of no use to anyone.
  if (isInstant) await remove(state.strangers);
  await using pool = new CpuPool({
    setup: workerSetup(repository, repository.index.table.shared),
    ...(workers === undefined ? {} : { workers }),
  });
  progress.phase = "repack";
  const written = await repackPacks(work, pool, options);
  await protectNewcomers(work, pool, { signal });
  if (!isInstant) await postponeForOldHolders(work, { signal });
  const index = await rewriteIndex(work, pool, { mode: plan.mode, signal });
  let files = index.written;
  const doomed: readonly PackAction[] = isInstant ? ["delete", "remove", "repack"] : ["delete"];
  if (index.written + index.removed > 0 || packsWith(work, doomed).size > 0) {
    // Whose lock was gone when we looked has saved its snapshot before: by now lists show it.
    const { listLagMs } = repository.backend;
    if (listLagMs > 0) await repository.clock.sleep(listLagMs, signal);
    // Backups that have ended meanwhile find what they stored listed as in use.
    const needed = await protectNewcomers(work, pool, { signal });
    if (needed.size > 0) files += await listAgain(work, pool, needed, { signal });
  }
  const marked = isInstant ? new Map() : packsWith(work, ["repack", "remove"]);
  const strangers = isInstant ? new Map<string, number>() : state.strangers;
  await remove(packsWith(work, doomed));
  const gone = await removeAbandoned(repository, plan.mode, work.leftOvers, { signal });
  progress.phase = "done";
  return {
    mode: plan.mode,
    packsRepacked: packsWith(work, ["repack"]).size,
    packsWritten: written.packs,
    bytesWritten: written.bytes,
    packsMarked: marked.size + strangers.size,
    bytesMarked: sum(marked.values()) + sum(strangers.values()),
    packsDeleted: deleted.packs,
    bytesDeleted: deleted.bytes,
    packsRecovered: packsWith(work, ["recover"]).size,
    indexFilesWritten: files,
    indexFilesRemoved: index.removed,
    leftOversRemoved: gone.files,
    leftOverBytesRemoved: gone.bytes,
  };
}

/** Packs with one of these actions whose files are there, and their sizes. */
function packsWith(
  { state, actions }: PruneWork,
  wanted: readonly PackAction[],
): Map<string, number> {
  const found = new Map<string, number>();
  for (const [pack, action] of actions.entries()) {
    const sizeBytes = state.listedSizes[pack] as number;
    if (wanted.includes(action) && sizeBytes >= 0) {
      found.set(state.index.packIds[pack] as string, sizeBytes);
    }
  }
  return found;
}

/** Repacking may have taken hours: whose lock had not been seen, or had been stale, may be back. */
async function postponeForOldHolders(
  { repository, state, actions }: PruneWork,
  options: OperationOptions,
): Promise<void> {
  if (!actions.includes("delete")) return;
  const holder = await findOldHolder(repository, options);
  if (holder === undefined) return;
  for (const [pack, action] of actions.entries()) {
    const { timeMs = Number.POSITIVE_INFINITY } = state.index.marks.get(pack) ?? {};
    if (action === "delete" && timeMs >= holder.sinceMs) actions[pack] = "wait";
  }
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
