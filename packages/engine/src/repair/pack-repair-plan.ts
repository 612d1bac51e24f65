import type { ListedFile, OperationOptions } from "@comeback/core";
import { ComebackError, isComebackError } from "@comeback/core";
import { PackGroups } from "../check/pack-groups.ts";
import type { PackedBlob } from "../pack/header.ts";
import { packedBlob } from "../pack/packer.ts";
import type { Repository } from "../repository/repository.ts";
import { examinePack } from "./examine-pack.ts";
import { enterPhase, type RepairObserver, startProgress } from "./repair-progress.ts";

/** Lost blobs that a plan names for one pack; further ones are only counted. */
const LOST_NAMED_MAX = 100;

export interface PackFinding {
  readonly id: string;
  /**
   * `damaged`: intact blobs go to new packs, and it goes. `missing`: the index forgets it.
   * `sound`: it stays as it is. `unknown`: nothing says what is in it, and it stays.
   */
  readonly state: "damaged" | "missing" | "sound" | "unknown";
  readonly sizeBytes: number;
  /** What does not hold, one sentence each. */
  readonly problems: readonly string[];
  readonly intactBlobs: number;
  readonly intactBytes: number;
  readonly lostBlobs: number;
  /** The first of them. */
  readonly lost: readonly { readonly type: "data" | "tree"; readonly id: string }[];
}

/** What `repairPacks` would do. Plain data. */
export interface PackRepairPlan {
  readonly packs: readonly PackFinding[];
  /** Whether there is anything to do. */
  readonly isNeeded: boolean;
}

export interface PlanPackRepairOptions extends OperationOptions {
  /** Open, its index loaded. */
  readonly repository: Repository;
  /** Ids, or their beginnings. */
  readonly packs: readonly string[];
  readonly observer?: RepairObserver;
}

/** Reads the packs and says what of each can be saved. The caller holds an exclusive lock. */
export async function planPackRepair(options: PlanPackRepairOptions): Promise<PackRepairPlan> {
  const { repository, observer } = options;
  const progress = startProgress(observer);
  const ids = await findPacks(options);
  const listed = listedBlobs(repository);
  enterPhase(progress, "packs", ids.length);
  const packs: PackFinding[] = [];
  for (const id of ids) {
    packs.push(await findingOf(options, id, listed(id)));
    progress.done++;
  }
  progress.phase = "done";
  const isNeeded = packs.some(({ state }) => state === "damaged" || state === "missing");
  return { packs, isNeeded };
}

/** What the index says is in a pack. */
export function listedBlobs({ index }: Repository): (packId: string) => PackedBlob[] {
  const groups = new PackGroups(index);
  return (packId) => {
    if (!index.hasPack(packId)) return [];
    const entries = groups.entriesOf(index.packNumber(packId));
    return Array.from(entries, (entry) => packedBlob(index.table, entry));
  };
}

/** The pack's file, or `undefined` where there is none. */
export async function findPackFile(
  { backend }: Repository,
  name: string,
  options: OperationOptions,
): Promise<ListedFile | undefined> {
  try {
    const { sizeBytes } = await backend.stat({ type: "pack", name }, options);
    return { name, sizeBytes };
  } catch (error) {
    if (isComebackError(error, "backend.not-found")) return undefined;
    throw error;
  }
}

async function findingOf(
  { repository, signal }: PlanPackRepairOptions,
  id: string,
  indexed: readonly PackedBlob[],
): Promise<PackFinding> {
  const file = await findPackFile(repository, id, { signal });
  const nothing = { intactBlobs: 0, intactBytes: 0, lostBlobs: indexed.length, lost: [] };
  if (file === undefined) {
    const lost = indexed.slice(0, LOST_NAMED_MAX).map(({ type, id: blob }) => ({ type, id: blob }));
    return { id, state: "missing", sizeBytes: 0, problems: [], ...nothing, lost };
  }
  const { sizeBytes } = file;
  const { intact, lost, problems } = await examinePack(repository, file, indexed, { signal });
  const isSound = problems.length === 0 && lost.length === 0;
  const isUnknown = intact.length + lost.length === 0 && indexed.length === 0;
  return {
    id,
    state: isSound ? "sound" : isUnknown ? "unknown" : "damaged",
    sizeBytes,
    problems,
    intactBlobs: intact.length,
    intactBytes: intact.reduce((sum, { length }) => sum + length, 0),
    lostBlobs: lost.length,
    lost: lost.slice(0, LOST_NAMED_MAX).map(({ type, id: blob }) => ({ type, id: blob })),
  };
}

/** The packs that are meant, among those that are there and those that the index lists. */
async function findPacks({ repository, packs, signal }: PlanPackRepairOptions): Promise<string[]> {
  const known = new Set(repository.index.packIds);
  for await (const { name } of repository.backend.list("pack", { signal })) known.add(name);
  const found = packs.map((text) => {
    const matches = [...known].filter((id) => id.startsWith(text));
    const [match] = matches;
    if (match !== undefined && matches.length === 1 && text !== "") return match;
    const what = match === undefined ? "there is no pack" : "several packs begin with";
    throw new ComebackError("option.invalid", `${what} ${JSON.stringify(text)}`, {
      next: "`comeback check --read-data` names the damaged packs",
    });
  });
  return [...new Set(found)];
}
