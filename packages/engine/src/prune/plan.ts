import { ComebackError, type LeftOver, PRUNE_KEEP_DELETE_DEFAULT_MS } from "@comeback/core";
import type { BitSet } from "../check/bit-set.ts";
import { CpuPool } from "../cpu-pool/cpu-pool.ts";
import { workerSetup } from "../cpu-pool/worker-setup.ts";
import type { Repository } from "../repository/repository.ts";
import { PackCounts } from "./count-packs.ts";
import {
  type DecisionOptions,
  type Decisions,
  decidePacks,
  kindOf,
  mustCompress,
} from "./decide-packs.ts";
import { findUsedBlobs } from "./find-used.ts";
import { bytesOf, findAbandoned } from "./left-overs.ts";
import { findOldHolder } from "./old-holders.ts";
import {
  type PackAction,
  type PlannedPack,
  type PruneOptions,
  type PruneObserver,
  type PrunePlan,
  type PruneProgress,
  UNUSED_LIMIT_DEFAULT,
} from "./prune-options.ts";
import { loadNewSnapshots, loadPackState, loadPruneIndex, type PruneState } from "./prune-state.ts";

/** A plan, and what carrying it out needs beside it. Good for one execution. */
export interface PreparedPrune {
  readonly plan: PrunePlan;
  readonly work: PruneWork;
}

/** Not for the caller: what was in memory when the plan was made. */
export interface PruneWork {
  readonly repository: Repository;
  readonly state: PruneState;
  readonly used: BitSet;
  /** By pack number. The execution changes them where a new snapshot needs a pack. */
  readonly actions: PackAction[];
  readonly recompress: ReadonlySet<number>;
  readonly leftOvers: readonly LeftOver[];
  /** Names that have been dealt with; the execution adds those it meets and writes. */
  readonly snapshotNames: Set<string>;
  readonly indexNames: Set<string>;
  readonly progress: PruneProgress;
  readonly workers: number | undefined;
  /** Some snapshots were left out, or it has been carried out: it may not be (again). */
  isSpent: boolean;
}

/**
 * Finds out what can go. Nothing is changed. Fails where the repository lacks anything that a
 * snapshot needs: then nothing may be removed before it is repaired.
 */
export async function planPrune(options: PruneOptions): Promise<PreparedPrune> {
  const { repository, signal, ignoreSnapshots = new Set() } = options;
  if (options.repackUncompressed === true && repository.config.version === 1) {
    throw new ComebackError("option.invalid", "a repository of version 1 cannot be compressed", {
      next: "migrate it first, or leave the compression out",
    });
  }
  const progress = startProgress(options.observer);
  const snapshotNames = new Set<string>(ignoreSnapshots);
  // In the reverse order of writing, so that no blob is missing that a running backup adds.
  const snapshots = await loadNewSnapshots(repository, snapshotNames, { signal });
  progress.phase = "index";
  const loaded = await loadPruneIndex(repository, { signal });
  progress.phase = "trees";
  const used = await walkTrees(options, snapshots, (count) => (progress.trees += count));
  progress.phase = "packs";
  const state = await loadPackState(repository, loaded, { signal });
  const counts = new PackCounts(state, used);
  const keepDeleteMs = options.keepDeleteMs ?? PRUNE_KEEP_DELETE_DEFAULT_MS;
  const expiry = await findExpired(options, state, keepDeleteMs);
  const decisionOptions: DecisionOptions = {
    version: repository.config.version,
    packSizeBytes: repository.packSizeBytes,
    maxUnused: options.maxUnused ?? UNUSED_LIMIT_DEFAULT,
    maxRepackBytes: options.maxRepackBytes ?? Number.POSITIVE_INFINITY,
    repackCacheableOnly: options.repackCacheableOnly ?? false,
    repackSmall: options.repackSmall ?? false,
    repackUncompressed: options.repackUncompressed ?? false,
    isExpired: (pack) => expiry.expired.has(pack),
  };
  const decisions = decidePacks(state, counts, decisionOptions);
  const recompress = new Set<number>();
  for (const [pack, action] of decisions.actions.entries()) {
    if (action === "repack" && mustCompress(state, counts, decisionOptions, pack)) {
      recompress.add(pack);
    }
  }
  const leftOvers = await findAbandoned(repository, options.mode ?? "two-phase", { signal });
  const made = { options, state, counts, decisions, leftOvers };
  const plan = describePlan(made, snapshots.length, { ...expiry, keepDeleteMs });
  const { actions } = decisions;
  const { workers } = options;
  const names = { snapshotNames, indexNames: new Set(state.indexFiles.keys()) };
  const isSpent = ignoreSnapshots.size > 0;
  const parts = { repository, state, used, actions, recompress, leftOvers, progress, workers };
  const work = { ...parts, ...names, isSpent };
  return { plan, work };
}

function startProgress(observer: PruneObserver | undefined): PruneProgress {
  const progress: PruneProgress = {
    phase: "snapshots",
    trees: 0,
    packsDone: 0,
    packsTotal: 0,
    bytesDone: 0,
    bytesTotal: 0,
  };
  observer?.onStart?.(progress);
  return progress;
}

async function walkTrees(
  { repository, signal, workers }: PruneOptions,
  snapshots: Parameters<typeof findUsedBlobs>[0]["snapshots"],
  onTrees: (count: number) => void,
): Promise<BitSet> {
  await using pool = new CpuPool({
    setup: workerSetup(repository, repository.index.table.shared),
    ...(workers === undefined ? {} : { workers }),
  });
  return await findUsedBlobs({ repository, pool, snapshots, signal, onTrees });
}

interface Expiry {
  /** Marked packs that may be deleted now. */
  readonly expired: ReadonlySet<number>;
  readonly postponed: number;
  readonly postponedFor?: string;
}

async function findExpired(
  { repository, signal, mode }: PruneOptions,
  { index, listedSizes }: PruneState,
  keepDeleteMs: number,
): Promise<Expiry> {
  // Under an exclusive lock nobody else is at work: nothing has to wait.
  if (mode === "instant") return { expired: new Set(index.marks.keys()), postponed: 0 };
  const dueMs = repository.clock.now() - keepDeleteMs;
  const due = [...index.marks].filter(
    ([pack, { timeMs = Number.POSITIVE_INFINITY }]) =>
      timeMs <= dueMs && (listedSizes[pack] as number) >= 0,
  );
  if (due.length === 0) return { expired: new Set(), postponed: 0 };
  const holder = await findOldHolder(repository, { signal });
  const expired = due.filter(
    ([, { timeMs }]) => holder === undefined || (timeMs as number) < holder.sinceMs,
  );
  const postponed = due.length - expired.length;
  return {
    expired: new Set(expired.map(([pack]) => pack)),
    postponed,
    ...(postponed > 0 && holder !== undefined ? { postponedFor: holder.name } : {}),
  };
}

function describePlan(
  made: {
    readonly options: PruneOptions;
    readonly state: PruneState;
    readonly counts: PackCounts;
    readonly decisions: Decisions;
    readonly leftOvers: readonly LeftOver[];
  },
  snapshots: number,
  expiry: Expiry & { readonly keepDeleteMs: number },
): PrunePlan {
  const { state, counts, decisions, leftOvers } = made;
  const packs = {
    keep: 0,
    repack: 0,
    remove: 0,
    adopt: 0,
    delete: 0,
    wait: 0,
    recover: 0,
    drop: 0,
  };
  const packBytes = { ...packs };
  const changes: PlannedPack[] = [];
  for (const [pack, action] of decisions.actions.entries()) {
    const listed = state.listedSizes[pack] as number;
    const sizeBytes = listed >= 0 ? listed : (state.groups.sizes[pack] as number);
    packs[action]++;
    packBytes[action] += sizeBytes;
    if (action === "keep") continue;
    const isUsed = (counts.usedBlobs[pack] as number) > 0;
    const usedBytes = isUsed ? (counts.usedBytes[pack] as number) : 0;
    const id = state.index.packIds[pack] as string;
    changes.push({ id, action, type: kindOf(state, pack), sizeBytes, usedBytes });
  }
  for (const [id, sizeBytes] of state.strangers) {
    packs.adopt++;
    packBytes.adopt += sizeBytes;
    changes.push({ id, action: "adopt", type: "unknown", sizeBytes, usedBytes: 0 });
  }
  const { remove, repack, repackRemove } = decisions;
  const { used, duplicate, unused } = counts;
  return {
    mode: made.options.mode ?? "two-phase",
    snapshots,
    keepDeleteMs: expiry.keepDeleteMs,
    used,
    duplicate,
    unused,
    remove,
    repack,
    repackRemove,
    unusedAfterBytes: duplicate.bytes + unused.bytes - remove.bytes - repackRemove.bytes,
    packs,
    packBytes,
    postponed: expiry.postponed,
    ...(expiry.postponedFor === undefined ? {} : { postponedFor: expiry.postponedFor }),
    leftOvers: {
      files: leftOvers.length,
      bytes: bytesOf(leftOvers),
      paths: leftOvers.map(({ path }) => path),
    },
    changes,
  };
}
