import { ComebackError, PRUNE_SMALL_PACKS_MIN } from "@comeback/core";
import type { PackCounts } from "./count-packs.ts";
import type { PackAction, UnusedLimit } from "./prune-options.ts";
import type { PruneState } from "./prune-state.ts";

export interface DecisionOptions {
  readonly version: 1 | 2;
  readonly packSizeBytes: number;
  readonly maxUnused: UnusedLimit;
  readonly maxRepackBytes: number;
  readonly repackCacheableOnly: boolean;
  readonly repackSmall: boolean;
  readonly repackUncompressed: boolean;
  /** Whether a marked pack's time has come. */
  isExpired(pack: number): boolean;
}

export type PackKind = "data" | "tree" | "mixed" | "unknown";

export interface Decisions {
  /** By pack number. */
  readonly actions: PackAction[];
  readonly remove: { blobs: number; bytes: number };
  readonly repack: { blobs: number; bytes: number };
  readonly repackRemove: { blobs: number; bytes: number };
}

/** What becomes of each pack: restic's rules (`decidePackAction`), and ours for marked packs. */
export function decidePacks(
  state: PruneState,
  counts: PackCounts,
  options: DecisionOptions,
): Decisions {
  const { index } = state;
  const decisions: Decisions = {
    actions: Array.from<PackAction>({ length: index.packIds.length }).fill("keep"),
    remove: { blobs: 0, bytes: 0 },
    repack: { blobs: 0, bytes: 0 },
    repackRemove: { blobs: 0, bytes: 0 },
  };
  const candidates: number[] = [];
  const small: number[] = [];
  for (let pack = 0; pack < decisions.actions.length; pack++) {
    const decision = decideOne(state, counts, options, pack);
    if (decision === "candidate") candidates.push(pack);
    else if (decision === "small") small.push(pack);
    else decisions.actions[pack] = decision;
    if (decision === "remove" || (decision === "drop" && !index.marks.has(pack))) {
      decisions.remove.blobs += counts.unusedBlobs[pack] as number;
      decisions.remove.bytes += counts.unusedBytes[pack] as number;
    }
  }
  // Fewer are not worth the trouble, and a single one would be repacked at every prune.
  if (small.length >= PRUNE_SMALL_PACKS_MIN) candidates.push(...small);
  chooseRepacks(state, counts, options, { decisions, candidates });
  return decisions;
}

function decideOne(
  state: PruneState,
  counts: PackCounts,
  options: DecisionOptions,
  pack: number,
): PackAction | "candidate" | "small" {
  const listed = state.listedSizes[pack] as number;
  const isUsed = (counts.usedBlobs[pack] as number) > 0;
  if (counts.recovered.has(pack)) return "recover";
  if (state.index.marks.has(pack)) {
    if (listed < 0) return "drop";
    return options.isExpired(pack) ? "delete" : "wait";
  }
  if (isUsed && listed !== state.groups.sizes[pack]) throw unfitting(state, pack);
  if (listed < 0) return "drop";
  if (!isUsed) return "remove";
  const kind = kindOf(state, pack);
  if (options.repackCacheableOnly && kind === "data") return "keep";
  const isClean = counts.unusedBlobs[pack] === 0 && kind !== "mixed";
  if (!isClean || mustCompress(state, counts, options, pack)) return "candidate";
  return listed >= smallPackBytes(options) ? "keep" : "small";
}

export function kindOf({ groups }: PruneState, pack: number): PackKind {
  const trees = groups.trees[pack] as number;
  const blobs = groups.blobCount(pack);
  if (blobs === 0) return "unknown";
  if (trees === 0) return "data";
  return trees === blobs ? "tree" : "mixed";
}

/** Version 2: uncompressed trees always, data where it is asked for. */
export function mustCompress(
  state: PruneState,
  counts: PackCounts,
  { version, repackUncompressed }: DecisionOptions,
  pack: number,
): boolean {
  const wanted = kindOf(state, pack) === "tree" || repackUncompressed;
  return version === 2 && wanted && counts.uncompressed[pack] === 1;
}

/** Only very small packs are put together, unless more is asked for (restic's shares). */
function smallPackBytes({ packSizeBytes, repackSmall }: DecisionOptions): number {
  return repackSmall ? Math.floor(packSizeBytes / 5) * 4 : Math.floor(packSizeBytes / 25);
}

function chooseRepacks(
  state: PruneState,
  counts: PackCounts,
  options: DecisionOptions,
  { decisions, candidates }: { decisions: Decisions; candidates: number[] },
): void {
  const { usedBytes, unusedBytes } = counts;
  const sizeOf = (pack: number): number =>
    (usedBytes[pack] as number) + (unusedBytes[pack] as number);
  const smallBytes = smallPackBytes(options);
  const rank = (pack: number): number => {
    if (kindOf(state, pack) !== "data") return 0;
    return sizeOf(pack) < smallBytes ? 1 : 2;
  };
  // Trees first, then what is small, then what frees most for what has to be copied.
  candidates.sort((a, b) => {
    const waste =
      (unusedBytes[b] as number) * (usedBytes[a] as number) -
      (unusedBytes[a] as number) * (usedBytes[b] as number);
    return rank(a) - rank(b) || waste || a - b;
  });
  const maxUnusedBytes = unusedBytesAllowed(options.maxUnused, counts.used.bytes);
  const { remove, repack, repackRemove, actions } = decisions;
  const wasted = counts.duplicate.bytes + counts.unused.bytes - remove.bytes;
  for (const pack of candidates) {
    if (repack.bytes + sizeOf(pack) >= options.maxRepackBytes) continue;
    const isLimited = kindOf(state, pack) === "data" && !mustCompress(state, counts, options, pack);
    const isEnough = wasted - repackRemove.bytes < maxUnusedBytes && sizeOf(pack) >= smallBytes;
    if (isLimited && isEnough) continue;
    actions[pack] = "repack";
    repack.blobs += (counts.usedBlobs[pack] as number) + (counts.unusedBlobs[pack] as number);
    repack.bytes += sizeOf(pack);
    repackRemove.blobs += counts.unusedBlobs[pack] as number;
    repackRemove.bytes += unusedBytes[pack] as number;
  }
}

export function unusedBytesAllowed(limit: UnusedLimit, usedBytes: number): number {
  switch (limit.kind) {
    case "unlimited":
      return Number.POSITIVE_INFINITY;
    case "size":
      return limit.sizeBytes;
    case "percentage":
      return Math.floor((limit.percentage / (100 - limit.percentage)) * usedBytes);
  }
}

function unfitting({ index, listedSizes, groups }: PruneState, pack: number): ComebackError {
  const id = (index.packIds[pack] as string).slice(0, 10);
  const listed = listedSizes[pack] as number;
  return new ComebackError(
    "repository.damaged",
    listed < 0 ? `pack ${id}, which snapshots need, is missing` : `pack ${id} is damaged`,
    {
      ...(listed < 0
        ? {}
        : { why: `it has ${listed} bytes, the index implies ${groups.sizes[pack]}` }),
      next: "nothing was changed: run `comeback check`, then repair, before anything is removed",
    },
  );
}
