import type { Snapshot } from "@comeback/engine";
import type { GroupBy } from "../options/parse-values.ts";

/** What the snapshots of a group have in common; restic's keys. */
export interface GroupKey {
  readonly hostname: string;
  readonly paths: readonly string[] | null;
  readonly tags: readonly string[] | null;
}

export interface SnapshotGroup {
  readonly key: GroupKey;
  readonly snapshots: readonly Snapshot[];
}

/** Groups in the order of their first snapshot. */
export function groupSnapshots(snapshots: readonly Snapshot[], by: GroupBy): SnapshotGroup[] {
  const groups = new Map<string, { key: GroupKey; snapshots: Snapshot[] }>();
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

/** The newest `count` of each host and path set, oldest first as they came. */
export function keepLatest(snapshots: readonly Snapshot[], count: number): Snapshot[] {
  const seen = new Map<string, number>();
  const kept = snapshots.toReversed().filter(({ hostname, paths }) => {
    const key = JSON.stringify([hostname, paths.toSorted()]);
    const before = seen.get(key) ?? 0;
    seen.set(key, before + 1);
    return before < count;
  });
  return kept.reverse();
}
