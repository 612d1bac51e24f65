import {
  CHECK_BYTES_IN_FLIGHT_MAX,
  CHECK_DETAILS_KEPT_MAX,
  type OperationOptions,
  RANGE_GAP_MAX_BYTES,
} from "@comeback/core";
import type { RepositoryIndex } from "../index/repository-index.ts";
import type { Repository } from "../repository/repository.ts";
import type { CheckMemory, CoveredPack } from "./check-memory.ts";
import type { ReadData } from "./check-options.ts";
import { PackGroups } from "./pack-groups.ts";
import type { ProblemLog } from "./problem-log.ts";
import { selectPacks } from "./read-data.ts";

/** A part of a pack, or all of it, that is read and whose blobs are verified. */
export interface Reading {
  readonly pack: number;
  readonly packId: string;
  /** Whether it is the whole pack, so that its name and header are verified, too. */
  readonly whole: boolean;
  readonly startOffset: number;
  readonly sizeBytes: number;
  readonly entries: Uint32Array<ArrayBuffer>;
}

/** What the store has of the packs that the index knows. */
export interface ListedPacks {
  readonly groups: PackGroups;
  /** The size of each pack's file, -1 where there is none. */
  readonly listedSizes: Float64Array;
}

/** Lists the packs, and reports those that no index file knows. */
export async function listPacks(
  repository: Repository,
  index: RepositoryIndex,
  log: ProblemLog,
  options: OperationOptions,
): Promise<ListedPacks> {
  const groups = new PackGroups(index);
  const listedSizes = new Float64Array(index.packIds.length).fill(-1);
  const strangers: string[] = [];
  let strangerCount = 0;
  for await (const { name, sizeBytes } of repository.backend.list("pack", options)) {
    if (index.hasPack(name)) {
      listedSizes[index.packNumber(name)] = sizeBytes;
    } else {
      strangerCount++;
      if (strangers.length < CHECK_DETAILS_KEPT_MAX) strangers.push(name);
    }
  }
  log.hint(
    "pack-not-indexed",
    `${strangerCount} additional files are in the repository that no index lists, likely with ` +
      "duplicate data of an interrupted run; this is not critical",
    strangers,
    strangerCount,
  );
  const marked = [...index.marks.keys()].map((pack) => index.packIds[pack] as string);
  log.hint(
    "pack-marked",
    `${marked.length} packs wait to be deleted by a later prune; they count as part of the repository`,
    marked.slice(0, CHECK_DETAILS_KEPT_MAX),
    marked.length,
  );
  const mixed = index.packIds.filter((_id, pack) => isMixed(groups, pack));
  log.hint(
    "mixed-pack",
    `${mixed.length} packs hold trees and data together; this is not critical`,
    mixed.slice(0, CHECK_DETAILS_KEPT_MAX),
    mixed.length,
  );
  return { groups, listedSizes };
}

function isMixed(groups: PackGroups, pack: number): boolean {
  const trees = groups.trees[pack] as number;
  return trees > 0 && trees < groups.blobCount(pack);
}

export interface ReadingWish {
  readonly readData: ReadData;
  readonly memory: CheckMemory | undefined;
  /** Packs that were verified already. */
  readonly verified: ReadonlySet<string>;
}

export interface PlannedReadings {
  readonly readings: readonly Reading[];
  /**
   * Trees of packs that wait to be deleted. Mostly nothing leads to them any more, and they are
   * only read where something does.
   */
  readonly deferred: readonly Reading[];
}

/** What has to be read: packs of trees always, others as far as `readData` asks for them. */
export function planReadings(
  repository: Repository,
  index: RepositoryIndex,
  packs: ListedPacks,
  wish: ReadingWish,
): PlannedReadings {
  const { groups, listedSizes } = packs;
  const known = index.packIds.map((id, pack) => ({
    id,
    pack,
    sizeBytes: groups.sizes[pack] as number,
  }));
  const chosen = choosePacks(repository, { index, groups }, known, wish);
  const deferred: Reading[] = [];
  const first: Reading[] = [];
  const rest: Reading[] = [];
  for (const { id: packId, pack, sizeBytes } of known) {
    const trees = groups.trees[pack] as number;
    const listed = listedSizes[pack] as number;
    if (listed < 0 || (trees === 0 && !chosen.has(pack))) continue;
    if (isBareMark(index, groups, pack)) continue;
    const isDeferred = index.marks.has(pack) && !chosen.has(pack);
    if (trees > 0 && !chosen.has(pack) && isMixed(groups, pack)) {
      (isDeferred ? deferred : first).push(...treeRanges(index, groups, pack));
      continue;
    }
    const entries = groups.entriesOf(pack);
    // A file that is far larger than it should be is not taken into memory as a whole.
    const whole = listed <= Math.max(sizeBytes, CHECK_BYTES_IN_FLIGHT_MAX);
    const reading = { pack, packId, whole, startOffset: 0, entries };
    const bytes = whole ? listed : sizeBytes;
    (isDeferred ? deferred : trees > 0 ? first : rest).push({ ...reading, sizeBytes: bytes });
  }
  // The most expensive ones first, so that the workers end at about the same time.
  const cost = ({ pack }: Reading): number => groups.plaintextBytes[pack] as number;
  return { readings: [...first, ...rest.sort((a, b) => cost(b) - cost(a))], deferred };
}

/** The packs that are read for their data's sake, by number. */
function choosePacks(
  { random, clock }: Repository,
  { index, groups }: { readonly index: RepositoryIndex; readonly groups: PackGroups },
  known: readonly (CoveredPack & { readonly pack: number })[],
  { readData, memory, verified }: ReadingWish,
): Set<number> {
  // Packs of trees are read every time: they must not use up what is to be read now.
  const isReadAnyway = (pack: number): boolean =>
    (groups.trees[pack] as number) > 0 && !isMixed(groups, pack) && !index.marks.has(pack);
  const optional = known.filter(({ pack }) => !isReadAnyway(pack));
  const selected =
    readData.kind === "every"
      ? (memory?.choose(optional, readData.everyMs, clock.now()) ?? optional)
      : selectPacks(known, readData, random);
  return new Set(selected.filter(({ id }) => !verified.has(id)).map(({ pack }) => pack));
}

/** Whether a pack was marked without its header being readable: nothing is expected of it. */
export function isBareMark(index: RepositoryIndex, groups: PackGroups, pack: number): boolean {
  return index.marks.has(pack) && groups.blobCount(pack) === 0;
}

/** All packs that hold trees, to be read once more for what these refer to. */
export function planTreeReadings(index: RepositoryIndex, packs: ListedPacks): Reading[] {
  const { groups, listedSizes } = packs;
  return index.packIds.flatMap((_id, pack) => {
    const listed = listedSizes[pack] as number;
    return treeRanges(index, groups, pack).filter(
      ({ startOffset, sizeBytes }) => startOffset + sizeBytes <= listed,
    );
  });
}

/** The trees of a pack, close ones together. */
function treeRanges(index: RepositoryIndex, groups: PackGroups, pack: number): Reading[] {
  if (groups.trees[pack] === 0) return [];
  const { table } = index;
  const packId = index.packIds[pack] as string;
  const ranges: { start: number; end: number; entries: number[] }[] = [];
  for (const entry of groups.entriesOf(pack)) {
    if (table.typeOf(entry) !== "tree") continue;
    const { offset, length } = table.locationOf(entry);
    const last = ranges.at(-1);
    if (last !== undefined && offset - last.end <= RANGE_GAP_MAX_BYTES) {
      last.end = offset + length;
      last.entries.push(entry);
    } else {
      ranges.push({ start: offset, end: offset + length, entries: [entry] });
    }
  }
  return ranges.map(({ start, end, entries }) => ({
    pack,
    packId,
    whole: false,
    startOffset: start,
    sizeBytes: end - start,
    entries: Uint32Array.from(entries),
  }));
}
