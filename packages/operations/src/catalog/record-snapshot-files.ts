import {
  type CatalogStore,
  isComebackError,
  type OperationOptions,
  type SnapshotRecord,
} from "@comeback/core";
import { loadSnapshot, type Repository, type Snapshot } from "@comeback/engine";
import { fileChanges } from "./file-changes.ts";

export interface RecordSnapshotFilesOptions extends OperationOptions {
  readonly store: CatalogStore;
  /** Where the snapshot is; open, with its index loaded. */
  readonly repository: Repository;
  readonly snapshot: Snapshot;
  readonly record: Pick<SnapshotRecord, "plan" | "source" | "atMs">;
}

/**
 * Writes into the file history what a new snapshot changed since the newest one that the history
 * knows. Where that has been removed from the repository meanwhile, or there is none, the whole tree
 * is read instead.
 */
export async function recordSnapshotFiles(options: RecordSnapshotFilesOptions): Promise<void> {
  const { store, repository, snapshot, record, signal } = options;
  const { plan, source, atMs } = record;
  const head = await store.readFileHistoryHead(plan, source);
  const before = head && (await treeOf(repository, head.snapshotId, { signal }));
  const changes = fileChanges({ repository, before, after: snapshot.tree, signal });
  const recorded = { plan, source, atMs, snapshotId: snapshot.id };
  await store.recordFileChanges(recorded, changes, { isWholeTree: before === undefined });
}

async function treeOf(
  repository: Repository,
  snapshotId: string,
  options: OperationOptions,
): Promise<string | undefined> {
  try {
    return (await loadSnapshot(repository, snapshotId, options)).tree;
  } catch (error) {
    if (isComebackError(error, "backend.not-found")) return undefined;
    throw error;
  }
}
