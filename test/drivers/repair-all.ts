import { createHash } from "node:crypto";
import type { ByteString } from "@comeback/core";
import {
  check,
  type CheckResult,
  listSnapshots,
  planIndexRepair,
  planPackRepair,
  planRecover,
  planSnapshotRepair,
  readFile,
  recover,
  repairIndex,
  repairPacks,
  repairSnapshots,
  type Repository,
  walkSnapshot,
} from "@comeback/engine";

/** Hash of each file's content, by path. */
type Files = ReadonlyMap<ByteString, string>;

/** What can be read of all snapshots. */
export interface SavedFiles {
  /** By the id that a snapshot had first: its tree, and its files. */
  readonly snapshots: ReadonlyMap<string, { readonly tree: string; readonly files: Files }>;
  /** By the trees of snapshots that lost their own file: what was recovered of them. */
  readonly recovered: ReadonlyMap<string, Files>;
}

/** What a recovered snapshot has of trees: their own ids. */
export type RecoveredTrees = readonly { readonly name: string; readonly tree: string }[];

/** All repairs in the order in which the manual has them, without a backup in between. */
export async function repairAll(
  repository: Repository,
  found: CheckResult,
): Promise<RecoveredTrees> {
  const index = await planIndexRepair({ repository });
  const { unreadablePacks } = await repairIndex({ repository, plan: index });
  const unreadable = unreadablePacks.filter(({ isIndexed }) => isIndexed).map(({ name }) => name);
  await repository.loadIndex({ includeMarked: true });
  // The first check may have found no way to the packs.
  const again = await check({ repository, readData: { kind: "all" }, workers: 1 });
  const known = new Set(repository.index.packIds);
  const damaged = [...found.damagedPacks, ...again.damagedPacks].filter((id) => known.has(id));
  const packs = await planPackRepair({ repository, packs: [...unreadable, ...damaged] });
  await repairPacks({ repository, plan: packs, keep: async () => {} });
  await repository.loadIndex({ includeMarked: true });
  const snapshots = await planSnapshotRepair({ repository, forget: true });
  await repairSnapshots({ repository, plan: snapshots });
  await repository.loadIndex({ includeMarked: true });
  const lost = await planRecover({ repository, workers: 1 });
  if (lost.isNeeded) await recover({ repository, plan: lost });
  return lost.roots;
}

export async function contentsOf(
  repository: Repository,
  roots: RecoveredTrees = [],
): Promise<SavedFiles> {
  await repository.loadIndex();
  const snapshots = new Map<string, { tree: string; files: Files }>();
  const recovered = new Map<string, Files>();
  for (const { id, original = id, tree, tags } of await listSnapshots(repository)) {
    const files = new Map<ByteString, string>();
    for await (const { path, node } of walkSnapshot(repository, tree)) {
      if (node.type !== "file") continue;
      const hash = createHash("sha256");
      for await (const bytes of readFile(repository, node)) hash.update(bytes);
      files.set(path, hash.digest("hex"));
    }
    snapshots.set(original, { tree, files });
    if (tags?.includes("recovered") !== true) continue;
    for (const root of roots) recovered.set(root.tree, below(files, `/${root.name}`));
  }
  return { snapshots, recovered };
}

function below(files: Files, folder: string): Files {
  const inside = [...files].filter(([path]) => path.startsWith(`${folder}/`));
  return new Map(inside.map(([path, hash]) => [path.slice(folder.length), hash]));
}
