import type { LogRecord, RunFilter, RunRecord, StageRecord } from "@comeback/core";
import { assert, CATALOG_ROWS_AT_ONCE, ComebackError } from "@comeback/core";
import type { CatalogDatabase } from "../catalog-database.ts";
import { chunksOf } from "../chunks-of.ts";
import type { HostScope } from "../host-scope.ts";
import { fromRow, toRow } from "../rows.ts";
import { LOG_COLUMNS, RUN_COLUMNS, STAGE_COLUMNS } from "../tables.ts";
import { lockPlans, refreshRuns } from "./plan-states.ts";

/** Behind every text that begins with the same. */
const LAST_CHARACTER = "\u{10ffff}";

export async function saveRun({ database, host }: HostScope, run: RunRecord): Promise<void> {
  const row = toRow(run, RUN_COLUMNS);
  assert(row.host === host, "a run is saved by its own host");
  await database.write(async (tx) => {
    const before = await tx
      .selectFrom("runs")
      .select("plan")
      .where("id", "=", row.id)
      .where("host", "=", host)
      .executeTakeFirst();
    const plans = [row.plan, before?.plan ?? row.plan];
    await lockPlans(tx, host, plans);
    const { numInsertedOrUpdatedRows: saved } = await tx
      .insertInto("runs")
      .values(row)
      .onConflict((conflict) =>
        conflict.column("id").doUpdateSet(row).where("runs.host", "=", host),
      )
      .executeTakeFirstOrThrow();
    if (saved === 0n) throw idTaken(database.place, row.id);
    for (const plan of new Set(plans)) await refreshRuns(tx, { host, plan });
  });
}

export async function saveStage(database: CatalogDatabase, stage: StageRecord): Promise<void> {
  const row = toRow(stage, STAGE_COLUMNS);
  await database.write((tx) =>
    tx
      .insertInto("stages")
      .values(row)
      .onConflict((conflict) => conflict.columns(["runId", "sequence"]).doUpdateSet(row))
      .execute(),
  );
}

export async function appendLog(
  database: CatalogDatabase,
  lines: readonly LogRecord[],
): Promise<void> {
  if (lines.length === 0) return;
  await database.write(async (tx) => {
    for (const some of chunksOf(lines, CATALOG_ROWS_AT_ONCE)) {
      await tx
        .insertInto("logLines")
        .values(some.map((line) => toRow(line, LOG_COLUMNS)))
        .onConflict((conflict) => conflict.columns(["runId", "sequence"]).doNothing())
        .execute();
    }
  });
}

export async function findRun(
  database: CatalogDatabase,
  id: string,
): Promise<RunRecord | undefined> {
  const row = await database.read((db) =>
    db.selectFrom("runs").selectAll().where("id", "=", id).executeTakeFirst(),
  );
  return row === undefined ? undefined : fromRow<RunRecord>(row);
}

export async function listRuns(
  { database, host }: HostScope,
  filter: RunFilter,
): Promise<RunRecord[]> {
  const { hosts, idPrefix, plan, outcome, sinceMs, limit } = filter;
  const rows = await database.read((db) => {
    let query = db.selectFrom("runs").selectAll();
    if (hosts !== "all") query = query.where("host", "=", host);
    if (plan !== undefined) query = query.where("plan", "=", plan);
    if (outcome !== undefined) query = query.where("outcome", "=", outcome);
    if (sinceMs !== undefined) query = query.where("startedAtMs", ">=", sinceMs);
    if (idPrefix !== undefined && idPrefix !== "") {
      query = query.where("id", ">=", idPrefix).where("id", "<", idPrefix + LAST_CHARACTER);
    }
    return query.orderBy("startedAtMs", "desc").orderBy("id", "desc").limit(limit).execute();
  });
  return rows.map((row) => fromRow<RunRecord>(row));
}

export async function listOpenRuns({ database, host }: HostScope): Promise<RunRecord[]> {
  // Sorted here: for the order, SQLite would read through all runs of the host.
  const rows = await database.read((db) =>
    db
      .selectFrom("runs")
      .selectAll()
      .where("host", "=", host)
      .where("endedAtMs", "is", null)
      .execute(),
  );
  return rows
    .map((row) => fromRow<RunRecord>(row))
    .toSorted((a, b) => b.startedAtMs - a.startedAtMs || (a.id < b.id ? 1 : -1));
}

export async function listStages(database: CatalogDatabase, runId: string): Promise<StageRecord[]> {
  const rows = await database.read((db) =>
    db.selectFrom("stages").selectAll().where("runId", "=", runId).orderBy("sequence").execute(),
  );
  return rows.map((row) => fromRow<StageRecord>(row));
}

export async function listLog(
  database: CatalogDatabase,
  runId: string,
  page: { readonly afterSequence: number; readonly limit: number },
): Promise<LogRecord[]> {
  const rows = await database.read((db) =>
    db
      .selectFrom("logLines")
      .selectAll()
      .where("runId", "=", runId)
      .where("sequence", ">", page.afterSequence)
      .orderBy("sequence")
      .limit(page.limit)
      .execute(),
  );
  return rows.map((row) => fromRow<LogRecord>(row));
}

function idTaken(place: string, id: string): ComebackError {
  return new ComebackError("catalog.unusable", `the run ${id} cannot be recorded`, {
    why: `another host has a run of the same id in the catalog ${place}`,
    next: "nothing: the next run gets another id",
  });
}
