import type { ProofRecord, RepositoryStatistics, ScheduleMiss } from "@comeback/core";
import type { CatalogDatabase } from "../catalog-database.ts";
import { fromRow, storableText, toRow } from "../rows.ts";
import { MISS_COLUMNS, PROOF_COLUMNS, STATISTICS_COLUMNS } from "../tables.ts";
import { lockPlans, refreshMisses, refreshProof } from "./plan-states.ts";

export async function saveProof(database: CatalogDatabase, proof: ProofRecord): Promise<void> {
  const row = toRow(proof, PROOF_COLUMNS);
  await database.write(async (tx) => {
    await lockPlans(tx, [row.plan]);
    await tx.insertInto("proofs").values(row).execute();
    await refreshProof(tx, row.plan);
  });
}

export async function listProofs(
  database: CatalogDatabase,
  plan: string,
  limit: number,
): Promise<ProofRecord[]> {
  const rows = await database.read((db) =>
    db
      .selectFrom("proofs")
      .select([...PROOF_COLUMNS])
      .where("plan", "=", plan)
      .orderBy("atMs", "desc")
      .orderBy("number", "desc")
      .limit(limit)
      .execute(),
  );
  return rows.map((row) => fromRow<ProofRecord>(row));
}

export async function saveStatistics(
  database: CatalogDatabase,
  statistics: RepositoryStatistics,
): Promise<void> {
  const row = toRow(statistics, STATISTICS_COLUMNS);
  await database.write((tx) =>
    tx
      .insertInto("statistics")
      .values(row)
      .onConflict((conflict) => conflict.columns(["destination", "atMs"]).doUpdateSet(row))
      .execute(),
  );
}

export async function listStatistics(
  database: CatalogDatabase,
  destination: string,
  limit: number,
): Promise<RepositoryStatistics[]> {
  return await database.read((db) =>
    db
      .selectFrom("statistics")
      .selectAll()
      .where("destination", "=", destination)
      .orderBy("atMs", "desc")
      .limit(limit)
      .execute(),
  );
}

export async function readScheduleMark(
  database: CatalogDatabase,
  plan: string,
  trigger: string,
): Promise<number | undefined> {
  const row = await database.read((db) =>
    db
      .selectFrom("scheduleMarks")
      .select("atMs")
      .where("plan", "=", plan)
      .where("trigger", "=", trigger)
      .executeTakeFirst(),
  );
  return row?.atMs;
}

export async function saveScheduleMark(
  database: CatalogDatabase,
  mark: { readonly plan: string; readonly trigger: string; readonly atMs: number },
): Promise<void> {
  const row = toRow(mark, ["plan", "trigger", "atMs"]);
  await database.write((tx) =>
    tx
      .insertInto("scheduleMarks")
      .values(row)
      .onConflict((conflict) => conflict.columns(["plan", "trigger"]).doUpdateSet(row))
      .execute(),
  );
}

export async function saveMiss(database: CatalogDatabase, miss: ScheduleMiss): Promise<void> {
  const row = toRow(miss, MISS_COLUMNS);
  await database.write(async (tx) => {
    await lockPlans(tx, [row.plan]);
    await tx
      .insertInto("misses")
      .values(row)
      .onConflict((conflict) =>
        conflict.columns(["plan", "trigger", "scheduledForMs"]).doUpdateSet(row),
      )
      .execute();
    await refreshMisses(tx, row.plan);
  });
}

export async function listMisses(
  database: CatalogDatabase,
  filter: { readonly plan?: string | undefined; readonly limit: number },
): Promise<ScheduleMiss[]> {
  const rows = await database.read((db) => {
    let query = db.selectFrom("misses").selectAll();
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
  database: CatalogDatabase,
  key: string,
): Promise<string | undefined> {
  const row = await database.read((db) =>
    db.selectFrom("notes").select("value").where("key", "=", key).executeTakeFirst(),
  );
  return row?.value;
}

export async function saveNote(
  database: CatalogDatabase,
  key: string,
  value: string | undefined,
): Promise<void> {
  await database.write(async (tx) => {
    if (value === undefined) {
      await tx.deleteFrom("notes").where("key", "=", key).execute();
      return;
    }
    const row = { key, value: storableText(value) };
    await tx
      .insertInto("notes")
      .values(row)
      .onConflict((conflict) => conflict.column("key").doUpdateSet(row))
      .execute();
  });
}
