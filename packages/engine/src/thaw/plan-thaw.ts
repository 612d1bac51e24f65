import { ComebackError } from "@comeback/core";
import type { ArchivedPack, BackendArchive, OperationOptions, ThawTier } from "@comeback/core";
import { BitSet } from "../check/bit-set.ts";
import { CpuPool } from "../cpu-pool/cpu-pool.ts";
import { workerSetup } from "../cpu-pool/worker-setup.ts";
import { idWords } from "../index/blob-table.ts";
import { resolvePath } from "../listing/resolve-path.ts";
import { findUsedBlobs } from "../prune/find-used.ts";
import type { Repository } from "../repository/repository.ts";
import type { PlanThawOptions, ThawGroup, ThawPlan } from "./thaw-options.ts";

/**
 * Which packs a restore of a snapshot, or of a path in it, needs, and how far each is from being
 * read. The states are the store's own, so that asking again is all that going on takes.
 */
export async function planThaw(options: PlanThawOptions): Promise<ThawPlan> {
  const { repository, signal } = options;
  const archive = archiveOf(repository);
  const names = await packsFor(options);
  const missing = new Set(names);
  const packs: ArchivedPack[] = [];
  for await (const pack of archive.states(names, { signal })) {
    packs.push(pack);
    missing.delete(pack.name);
  }
  const archived = packs.filter(({ state }) => state === "archived");
  return {
    groups: groupsOf(packs),
    archived,
    thawing: packs.filter(({ state }) => state === "thawing"),
    missing: [...missing],
    tiers: commonTiers(archive, new Set(archived.map(({ storageClass }) => storageClass))),
  };
}

/** The part of the store that thaws; fails where it has none. */
export function archiveOf({ backend }: Pick<Repository, "backend">): BackendArchive {
  if (backend.archive !== undefined) return backend.archive;
  throw new ComebackError("option.invalid", `${backend.location} has no archive classes`, {
    why: "everything in it can be read at once",
    next: "restore, without a thaw before it",
  });
}

async function packsFor(options: PlanThawOptions): Promise<Set<string>> {
  const { repository, snapshot, path, signal } = options;
  const { index } = repository;
  const { node, treeId } = await resolvePath(repository, snapshot.tree, path, { signal });
  const used =
    treeId === undefined
      ? blobsOfFile(repository, node?.content ?? [])
      : await blobsBelow(options, treeId);
  const names = new Set<string>();
  for (let entry = 0; entry < index.table.count; entry++) {
    if (used.has(entry)) names.add(index.packIds[index.table.packOf(entry)] as string);
  }
  return names;
}

async function blobsBelow(options: PlanThawOptions, tree: string): Promise<BitSet> {
  const { repository, snapshot, signal, workers } = options;
  await using pool = new CpuPool({
    setup: workerSetup(repository, repository.index.table.shared),
    ...(workers === undefined ? {} : { workers }),
  });
  return await findUsedBlobs({ repository, pool, snapshots: [{ id: snapshot.id, tree }], signal });
}

function blobsOfFile(repository: Repository, content: readonly string[]): BitSet {
  const { table } = repository.index;
  const used = BitSet.create(table.count);
  const words = new Uint32Array(8);
  for (const id of content) {
    const entry = table.find("data", idWords(id, words));
    if (entry >= 0) used.add(entry);
  }
  return used;
}

function groupsOf(packs: readonly ArchivedPack[]): ThawGroup[] {
  const groups = new Map<string, ThawGroup>();
  for (const { storageClass, state, sizeBytes } of packs) {
    const key = `${storageClass} ${state}`;
    const { packs: count, bytes } = groups.get(key) ?? { packs: 0, bytes: 0 };
    groups.set(key, { storageClass, state, packs: count + 1, bytes: bytes + sizeBytes });
  }
  return [...groups.values()].toSorted((a, b) => b.bytes - a.bytes);
}

function commonTiers(archive: BackendArchive, classes: ReadonlySet<string>): ThawTier[] {
  const [first = [], ...others] = [...classes].map((name) => archive.tiers(name));
  return first
    .filter(({ name }) => others.every((tiers) => tiers.some((tier) => tier.name === name)))
    .map(({ name, waitHours }) => {
      const waits = others.flat().filter((tier) => tier.name === name);
      return { name, waitHours: Math.max(waitHours, ...waits.map((tier) => tier.waitHours)) };
    });
}

/** Which of these packs cannot be read yet. */
export async function stillWaiting(
  repository: Pick<Repository, "backend">,
  names: readonly string[],
  options: OperationOptions,
): Promise<string[]> {
  const waiting: string[] = [];
  for await (const { name, state } of archiveOf(repository).states(names, options)) {
    if (state !== "readable") waiting.push(name);
  }
  return waiting;
}
