import type { Snapshot } from "./snapshot.ts";

/** What snapshots of one group have in common. */
export interface SnapshotGrouping {
  readonly host: boolean;
  readonly paths: boolean;
  readonly tags: boolean;
}

/** The values that the snapshots of a group have in common; restic's keys. */
export interface SnapshotGroupKey {
  readonly hostname: string;
  readonly paths: readonly string[] | null;
  readonly tags: readonly string[] | null;
}

export interface SnapshotGroup {
  readonly key: SnapshotGroupKey;
  readonly snapshots: readonly Snapshot[];
}

/** Groups in the order of their first snapshot. */
export function groupSnapshots(
  snapshots: readonly Snapshot[],
  by: SnapshotGrouping,
): SnapshotGroup[] {
  const groups = new Map<string, { key: SnapshotGroupKey; snapshots: Snapshot[] }>();
  for (const snapshot of snapshots) {
    const key = {
      hostname: by.host ? (snapshot.hostname ?? "") : "",
      paths: by.paths ? snapshot.paths.toSorted() : null,
      tags: by.tags && snapshot.tags !== undefined ? snapshot.tags.toSorted() : null,
    };
    const text = JSON.stringify(key);
    const group = groups.get(text);
    if (group === undefined) groups.set(text, { key, snapshots: [snapshot] });
    else group.snapshots.push(snapshot);
  }
  return [...groups.values()];
}
