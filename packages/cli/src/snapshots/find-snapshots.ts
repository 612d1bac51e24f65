import { findSnapshot, listSnapshots, type Snapshot, type SnapshotFilter } from "@comeback/engine";
import type { Session } from "../opening/session.ts";

/** The snapshots that are named, or all that pass the filter, oldest first. */
export async function findSnapshots(
  session: Session,
  names: readonly string[],
  filter: SnapshotFilter,
): Promise<Snapshot[]> {
  const { repository, signal } = session;
  if (names.length === 0) return listSnapshots(repository, filter, { signal });
  const found = new Map<string, Snapshot>();
  for (const name of names) {
    const snapshot = await findSnapshot(repository, name, filter, { signal });
    found.set(snapshot.id, snapshot);
  }
  return [...found.values()].sort((a, b) => Date.parse(a.time) - Date.parse(b.time));
}
