import {
  CATALOG_ROWS_AT_ONCE,
  type SnapshotRecord,
  type SnapshotRecordFilter,
} from "@comeback/core";
import { chunksOf } from "../chunks-of.ts";
import type { HostScope } from "../host-scope.ts";
import { snapshotOf, toRow } from "../rows.ts";
import { SNAPSHOT_COLUMNS } from "../tables.ts";
import { lockPlans, refreshNewest } from "./plan-states.ts";

export async function saveSnapshot(
  { database, host }: HostScope,
  snapshot: SnapshotRecord,
): Promise<void> {
  const items = JSON.stringify(snapshot.items);
  const row = { ...toRow(snapshot, SNAPSHOT_COLUMNS), items, host };
  await database.write(async (tx) => {
    await lockPlans(tx, host, [row.plan]);
    const before = await tx
      .selectFrom("snapshots")
      .select(["host", "plan", "source", "destination"])
      .where("host", "=", host)
      .where("destination", "=", row.destination)
      .where("snapshotId", "=", row.snapshotId)
      .executeTakeFirst();
    await tx
      .insertInto("snapshots")
      .values(row)
      .onConflict((conflict) =>
        conflict.columns(["host", "destination", "snapshotId"]).doUpdateSet(row),
      )
      .execute();
    await refreshNewest(tx, row);
    // Nobody moves a snapshot to another source; should it happen, the old one must not keep it.
    if (before !== undefined && (before.plan !== row.plan || before.source !== row.source)) {
      await refreshNewest(tx, before);
    }
  });
}

export async function markRemoved(
  { database, host }: HostScope,
  removal: { readonly destination: string; readonly snapshotIds: readonly string[] },
  atMs: number,
): Promise<void> {
  const { destination, snapshotIds } = removal;
  for (const ids of chunksOf(snapshotIds, CATALOG_ROWS_AT_ONCE)) {
    await database.write(async (tx) => {
      const places = await tx
        .selectFrom("snapshots")
        .select(["host", "plan", "source", "destination"])
        .distinct()
        .where("host", "=", host)
        .where("destination", "=", destination)
        .where("snapshotId", "in", ids)
        .execute();
      await lockPlans(
        tx,
        host,
        places.map(({ plan }) => plan),
      );
      await tx
        .updateTable("snapshots")
        .set({ removedAtMs: Math.round(atMs) })
        .where("host", "=", host)
        .where("destination", "=", destination)
        .where("snapshotId", "in", ids)
        .where("removedAtMs", "is", null)
        .execute();
      for (const place of places) await refreshNewest(tx, place);
    });
  }
}

export async function listSnapshots(
  { database, host }: HostScope,
  filter: SnapshotRecordFilter,
): Promise<SnapshotRecord[]> {
  const rows = await database.read((db) => {
    let query = db
      .selectFrom("snapshots")
      .select([...SNAPSHOT_COLUMNS])
      .where("host", "=", host);
    for (const name of ["plan", "source", "destination", "runId", "snapshotId"] as const) {
      const value = filter[name];
      if (value !== undefined) query = query.where(name, "=", value);
    }
    return query
      .orderBy("atMs", "desc")
      .orderBy("snapshotId", "desc")
      .orderBy("destination", "desc")
      .limit(filter.limit)
      .execute();
  });
  return rows.map(snapshotOf);
}
