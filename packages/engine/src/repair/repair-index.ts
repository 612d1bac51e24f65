import { isComebackError, type OperationOptions } from "@comeback/core";
import { whyUnusable } from "../check/problem-log.ts";
import { eachConcurrently, type Repository } from "../repository/repository.ts";
import type { IndexRepairPlan, PackToRead } from "./index-repair-plan.ts";
import { IndexWriter } from "./index-writer.ts";
import { readPackHeader } from "./read-pack-header.ts";
import { removeFiles } from "./remove-files.ts";
import {
  enterPhase,
  type RepairObserver,
  type RepairProgress,
  startProgress,
} from "./repair-progress.ts";
import { type DamagedFile, loadIndexFile } from "./survey-index.ts";

export interface RepairIndexOptions extends OperationOptions {
  readonly repository: Repository;
  readonly plan: IndexRepairPlan;
  readonly observer?: RepairObserver;
}

/** A pack whose header cannot be read. */
export interface UnreadablePack extends DamagedFile {
  /** An index file still lists what it holds, so that `repairPacks` can save the rest of it. */
  readonly isIndexed: boolean;
}

export interface IndexRepairResult {
  readonly packsRead: number;
  readonly unreadablePacks: readonly UnreadablePack[];
  readonly indexFilesWritten: number;
  readonly indexFilesRemoved: number;
}

/**
 * Carries a plan out, under an exclusive lock. New index files are saved before old ones go: after a
 * crash in between, packs are listed twice, and nothing is listed less than before.
 *
 * A pack that was listed and whose header cannot be read stays listed as it was: blobs in front of
 * the damage can be saved as long as something says where they are.
 */
export async function repairIndex(options: RepairIndexOptions): Promise<IndexRepairResult> {
  const { repository, plan, observer, signal } = options;
  const call = { signal };
  const progress = startProgress(observer);
  const writer = new IndexWriter(repository, call);
  const readable = new Set<string>();
  const unreadable = new Map<string, string>();
  enterPhase(progress, "packs", plan.packsToRead.length);
  await eachConcurrently(plan.packsToRead, repository.backend.connections, async (pack) => {
    const why = await readInto(writer, repository, pack, call);
    if (why === undefined) readable.add(pack.name);
    else unreadable.set(pack.name, why);
    progress.done++;
  });
  const stillListed = await rewrite(options, { writer, readable, unreadable, progress });
  await writer.finish();
  const old = [...plan.damagedIndexFiles.map(({ name }) => name), ...plan.replacedIndexFiles];
  await removeFiles(repository, "index", old, progress, call);
  progress.phase = "done";
  return {
    packsRead: readable.size,
    unreadablePacks: [...unreadable].map(([name, why]) => {
      return { name, why, isIndexed: stillListed.has(name) };
    }),
    indexFilesWritten: writer.filesWritten,
    indexFilesRemoved: old.length,
  };
}

/** Lists what a pack's header says; gives why where it cannot be read. */
async function readInto(
  writer: IndexWriter,
  repository: Repository,
  pack: PackToRead,
  call: OperationOptions,
): Promise<string | undefined> {
  try {
    await writer.add({ id: pack.name, blobs: await readPackHeader(repository, pack, call) });
    return undefined;
  } catch (error) {
    if (isComebackError(error, "backend.permission")) throw error;
    return whyUnusable(error, repository.backend, call);
  }
}

interface Rewriting {
  readonly writer: IndexWriter;
  readonly readable: ReadonlySet<string>;
  readonly unreadable: ReadonlyMap<string, string>;
  readonly progress: RepairProgress;
}

/** Copies what holds of the replaced index files; gives the unreadable packs that are among it. */
async function rewrite(
  { repository, plan, signal }: RepairIndexOptions,
  { writer, readable, unreadable, progress }: Rewriting,
): Promise<Set<string>> {
  const { missingPacks, missingMarkedPacks, listedElsewhere, replacedIndexFiles } = plan;
  const gone = [...missingPacks, ...missingMarkedPacks];
  const dropped = new Set([...gone, ...listedElsewhere, ...readable]);
  const written = new Set<string>();
  const stillListed = new Set<string>();
  enterPhase(progress, "writing", replacedIndexFiles.length);
  for (const name of replacedIndexFiles) {
    const { listed } = await loadIndexFile(repository, name, { signal });
    for (const pack of listed) {
      if (dropped.has(pack.id)) continue;
      // All that is said of a pack that does not say it itself may help to save something.
      const isUnreadable = unreadable.has(pack.id);
      if (written.has(pack.id) && !isUnreadable) continue;
      if (pack.mark === undefined) written.add(pack.id);
      if (isUnreadable) stillListed.add(pack.id);
      await writer.add(pack);
    }
    progress.done++;
  }
  return stillListed;
}
