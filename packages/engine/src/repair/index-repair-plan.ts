import type { ListedFile, OperationOptions } from "@comeback/core";
import type { Repository } from "../repository/repository.ts";
import { enterPhase, type RepairObserver, startProgress } from "./repair-progress.ts";
import { type DamagedFile, type IndexSurvey, surveyIndex } from "./survey-index.ts";

/** Why a pack's own header is read: no index lists it, or not as the file is. */
export type ReadReason = "not-indexed" | "other-size" | "listed-differently" | "asked-for";

export interface PackToRead extends ListedFile {
  readonly reason: ReadReason;
}

/** What `repairIndex` would do. Plain data. */
export interface IndexRepairPlan {
  readonly indexFiles: number;
  readonly packs: number;
  /** They are replaced by what the packs themselves say. */
  readonly damagedIndexFiles: readonly DamagedFile[];
  /** Sound ones that list something that is not so: written anew without it. */
  readonly replacedIndexFiles: readonly string[];
  /** No longer listed: their files are gone. */
  readonly missingPacks: readonly string[];
  /** The same of packs that waited to be deleted: nothing is lost with them. */
  readonly missingMarkedPacks: readonly string[];
  readonly packsToRead: readonly PackToRead[];
  /** Packs that several index files listed. */
  readonly packsListedTwice: number;
  /** Of what is replaced, packs that an index file lists that stays. */
  readonly listedElsewhere: readonly string[];
  /** Whether there is anything to do. */
  readonly isNeeded: boolean;
}

export interface PlanIndexRepairOptions extends OperationOptions {
  readonly repository: Repository;
  /** Believe no index file: read the headers of all packs. */
  readonly readAllPacks?: boolean;
  readonly observer?: RepairObserver;
}

/** Compares the index files with the packs that are there. The caller holds an exclusive lock. */
export async function planIndexRepair(options: PlanIndexRepairOptions): Promise<IndexRepairPlan> {
  const { repository, readAllPacks = false, observer } = options;
  const progress = startProgress(observer);
  const survey = await surveyIndex(repository, progress, options);
  enterPhase(progress, "packs", 0);
  const marked = new Set(survey.files.flatMap((file) => file.marked));
  const there = new Set<string>();
  const packsToRead: PackToRead[] = [];
  for await (const file of repository.backend.list("pack", options)) {
    there.add(file.name);
    progress.done++;
    const reason = readReason(survey, file, { readAllPacks, marked });
    if (reason !== undefined) packsToRead.push({ ...file, reason });
  }
  const missingPacks = [...survey.packs.keys()].filter((id) => !there.has(id));
  const missingMarkedPacks = [...marked].filter((id) => !there.has(id) && !survey.packs.has(id));
  const reread = new Set(packsToRead.map(({ name }) => name));
  const isStale = (id: string): boolean => !there.has(id) || reread.has(id);
  const { replaced, listedElsewhere, listedTwice } = chooseFiles(survey, isStale, readAllPacks);
  const damagedIndexFiles = survey.damaged;
  progress.phase = "done";
  return {
    indexFiles: survey.files.length + damagedIndexFiles.length,
    packs: there.size,
    damagedIndexFiles,
    replacedIndexFiles: replaced,
    missingPacks,
    missingMarkedPacks,
    packsToRead,
    packsListedTwice: listedTwice,
    listedElsewhere,
    isNeeded: damagedIndexFiles.length + replaced.length + packsToRead.length > 0,
  };
}

function readReason(
  { packs }: IndexSurvey,
  { name, sizeBytes }: ListedFile,
  { readAllPacks, marked }: { readonly readAllPacks: boolean; readonly marked: Set<string> },
): ReadReason | undefined {
  const listing = packs.get(name);
  if (listing === undefined) return marked.has(name) ? undefined : "not-indexed";
  if (listing.sizeBytes < 0) return "listed-differently";
  if (listing.sizeBytes !== sizeBytes) return "other-size";
  return readAllPacks ? "asked-for" : undefined;
}

interface ChosenFiles {
  readonly replaced: readonly string[];
  readonly listedElsewhere: readonly string[];
  readonly listedTwice: number;
}

/** Index files that cannot stay: of several that list a pack, the first one may. */
function chooseFiles(
  { files }: IndexSurvey,
  isStale: (id: string) => boolean,
  all: boolean,
): ChosenFiles {
  const seen = new Set<string>();
  const twice = new Set<string>();
  const kept = new Set<string>();
  const replaced: string[] = [];
  const replacedPacks: string[] = [];
  for (const file of files) {
    let stays = !all && !file.isOldFormat && file.packs.length + file.marked.length > 0;
    if ([...file.packs, ...file.marked].some(isStale)) stays = false;
    for (const id of file.packs) {
      if (seen.has(id)) {
        twice.add(id);
        stays = false;
      }
      seen.add(id);
    }
    if (stays) {
      for (const id of file.packs) kept.add(id);
    } else {
      replaced.push(file.name);
      replacedPacks.push(...file.packs, ...file.marked);
    }
  }
  const listedElsewhere = [...new Set(replacedPacks)].filter((id) => kept.has(id));
  return { replaced, listedElsewhere, listedTwice: twice.size };
}
