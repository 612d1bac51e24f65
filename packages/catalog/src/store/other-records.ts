import type { CatalogStore, ProofRecord, RepositoryStatistics, ScheduleMiss } from "@comeback/core";
import type { HostScope } from "../host-scope.ts";
import { fromRow, storableText, toRow } from "../rows.ts";
import { MISS_COLUMNS, PROOF_COLUMNS, STATISTICS_COLUMNS } from "../tables.ts";
import { lockPlans, refreshMisses, refreshProof } from "./plan-states.ts";

export async function saveProof({ database, host }: HostScope, proof: ProofRecord): Promise<void> {
  const row = { ...toRow(proof, PROOF_COLUMNS), host };
  await database.write(async (tx) => {
    await lockPlans(tx, host, [row.plan]);
    await tx.insertInto("proofs").values(row).execute();
    await refreshProof(tx, row);
  });
}

export async function listProofs(
  { database, host }: HostScope,
  { plan, limit }: Parameters<CatalogStore["listProofs"]>[0],
): Promise<ProofRecord[]> {
  const rows = await database.read((db) =>
    db
      .selectFrom("proofs")
      .select([...PROOF_COLUMNS])
      .where("host", "=", host)
      .$if(plan !== undefined, (query) => query.where("plan", "=", plan!))
      .orderBy("atMs", "desc")
      .orderBy("number", "desc")
      .limit(limit)
      .execute(),
  );
  return rows.map((row) => fromRow<ProofRecord>(row));
}

export async function saveStatistics(
  { database, host }: HostScope,
  statistics: RepositoryStatistics,
): Promise<void> {
  const row = { ...toRow(statistics, STATISTICS_COLUMNS), host };
  await database.write((tx) =>
    tx
      .insertInto("statistics")
      .values(row)
      .onConflict((conflict) => conflict.columns(["host", "destination", "atMs"]).doUpdateSet(row))
      .execute(),
  );
}

export async function listStatistics(
  { database, host }: HostScope,
  { destination, limit }: Parameters<CatalogStore["listStatistics"]>[0],
): Promise<RepositoryStatistics[]> {
  return await database.read((db) =>
    db
      .selectFrom("statistics")
      .select([...STATISTICS_COLUMNS])
      .where("host", "=", host)
      .$if(destination !== undefined, (query) => query.where("destination", "=", destination!))
      .orderBy("atMs", "desc")
      .orderBy("destination", "desc")
      .limit(limit)
      .execute(),
  );
}

export async function readScheduleMark(
  { database, host }: HostScope,
  plan: string,
  trigger: string,
): Promise<number | undefined> {
  const row = await database.read((db) =>
    db
      .selectFrom("scheduleMarks")
      .select("atMs")
      .where("host", "=", host)
      .where("plan", "=", plan)
      .where("trigger", "=", trigger)
      .executeTakeFirst(),
  );
  return row?.atMs;
}

export async function saveScheduleMark(
  { database, host }: HostScope,
  mark: { readonly plan: string; readonly trigger: string; readonly atMs: number },
): Promise<void> {
  const row = { ...toRow(mark, ["plan", "trigger", "atMs"]), host };
  await database.write((tx) =>
    tx
      .insertInto("scheduleMarks")
      .values(row)
      .onConflict((conflict) => conflict.columns(["host", "plan", "trigger"]).doUpdateSet(row))
      .execute(),
  );
}

export async function saveMiss({ database, host }: HostScope, miss: ScheduleMiss): Promise<void> {
  const row = { ...toRow(miss, MISS_COLUMNS), host };
  await database.write(async (tx) => {
    await lockPlans(tx, host, [row.plan]);
    await tx
      .insertInto("misses")
      .values(row)
      .onConflict((conflict) =>
        conflict.columns(["host", "plan", "trigger", "scheduledForMs"]).doUpdateSet(row),
      )
      .execute();
    await refreshMisses(tx, row);
  });
}

export async function listMisses(
  { database, host }: HostScope,
  filter: { readonly plan?: string | undefined; readonly limit: number },
): Promise<ScheduleMiss[]> {
  const rows = await database.read((db) => {
    let query = db
      .selectFrom("misses")
      .select([...MISS_COLUMNS])
      .where("host", "=", host);
    if (filter.plan !== undefined) query = query.where("plan", "=", filter.plan);
    return query
      .orderBy("scheduledForMs", "desc")
      .orderBy("plan", "desc")
      .orderBy("trigger", "desc")
      .limit(filter.limit)
      .execute();
  });
  return rows.map((row) => fromRow<ScheduleMiss>(row));
}

export async function readNote(
  { database, host }: HostScope,
  key: string,
): Promise<string | undefined> {
  const row = await database.read((db) =>
    db
      .selectFrom("notes")
      .select("value")
      .where("host", "=", host)
      .where("key", "=", key)
      .executeTakeFirst(),
  );
  return row?.value;
}

export async function saveNote(
  { database, host }: HostScope,
  key: string,
  value: string | undefined,
): Promise<void> {
  await database.write(async (tx) => {
    if (value === undefined) {
      await tx.deleteFrom("notes").where("host", "=", host).where("key", "=", key).execute();
      return;
    }
    const row = { host, key, value: storableText(value) };
    await tx
      .insertInto("notes")
      .values(row)
      .onConflict((conflict) => conflict.columns(["host", "key"]).doUpdateSet(row))
      .execute();
  });
}
