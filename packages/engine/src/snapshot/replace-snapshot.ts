import type { OperationOptions } from "@comeback/core";
import type { Repository } from "../repository/repository.ts";
import { saveSnapshot } from "../repository/snapshots.ts";
import type { Snapshot, SnapshotFile } from "./snapshot.ts";

/** New values for some of a snapshot's keys; `undefined` takes a key away. */
export type SnapshotChanges = {
  readonly [Key in keyof SnapshotFile]?: SnapshotFile[Key] | undefined;
};

/** A snapshot under other values. All other keys stay, also those that we do not know. */
export function changedSnapshot(old: Snapshot, changes: SnapshotChanges): SnapshotFile {
  const { id, ...file } = old;
  // restic's `tag`: the first id stays over all changes, so that scripts can follow a snapshot.
  return { ...file, original: file.original ?? id, ...changes } as SnapshotFile;
}

/**
 * Puts a changed snapshot into an old one's place. The new one is saved before the old one goes:
 * a crash in between leaves both, never neither.
 */
export async function replaceSnapshot(
  repository: Repository,
  old: Snapshot,
  changes: SnapshotChanges,
  options: OperationOptions = {},
): Promise<Snapshot> {
  const saved = await saveSnapshot(repository, changedSnapshot(old, changes), options);
  await repository.backend.remove({ type: "snapshot", name: old.id }, options);
  return saved;
}
