import { ComebackError } from "@comeback/core";
import { type Kysely, sql, type Transaction } from "kysely";
import type { CatalogDatabase } from "../catalog-database.ts";
import { POSTGRES_SCHEMA } from "../postgres/open-postgres.ts";
import type { Tables } from "../tables.ts";
import { refreshAll } from "../store/plan-states.ts";
import { firstSchema } from "./0001-first-schema.ts";
import { hosts } from "./0002-hosts.ts";
import { proofTimes } from "./0003-proof-times.ts";
import { type ColumnTypes, type Migration, OPENER_KEY } from "./migration.ts";

/** In their order, for ever: one that was published is never changed. */
const MIGRATIONS: readonly Migration[] = [firstSchema, hosts, proofTimes];
const VERSION_KEY = "schema-version";
/** Of advisory locks, ours: "comeback" in ASCII, as far as it fits. */
const POSTGRES_LOCK = 0x63_6f_6d_65;

const SQLITE_TYPES: ColumnTypes = {
  dialect: "sqlite",
  integer: "integer",
  text: "text",
  serial: "integer primary key autoincrement",
  clustered: "without rowid",
  positionOf: "instr",
};
const POSTGRES_TYPES: ColumnTypes = {
  dialect: "postgres",
  integer: "bigint",
  // Both databases then compare and sort by bytes.
  text: 'text collate "C"',
  serial: "bigint generated always as identity primary key",
  clustered: "",
  positionOf: "strpos",
};

/**
 * Brings the schema up to date, all steps in one transaction. Processes that open the catalog at
 * once do it one after the other. A schema of a newer program is refused: it is not known what
 * writing into it would break.
 *
 * What is of no known host in an older schema becomes that of `host`.
 */
export async function migrate(database: CatalogDatabase, host: string): Promise<void> {
  if ((await database.read((db) => readVersion(db, database.dialect))) === MIGRATIONS.length)
    return;
  await database.write(async (tx) => {
    if (database.dialect === "postgres") {
      await sql`select pg_advisory_xact_lock(${sql.lit(POSTGRES_LOCK)})`.execute(tx);
    }
    const version = await readVersion(tx, database.dialect);
    if (version > MIGRATIONS.length) throw newer(database.place, version);
    const types = database.dialect === "postgres" ? POSTGRES_TYPES : SQLITE_TYPES;
    if (database.dialect === "postgres") {
      await sql`create schema if not exists ${sql.id(POSTGRES_SCHEMA)}`.execute(tx);
      await sql`set local search_path to ${sql.id(POSTGRES_SCHEMA)}`.execute(tx);
    }
    for (const [place, migration] of MIGRATIONS.entries()) {
      if (place < version) continue;
      if (place > 0) await saveMeta(tx, OPENER_KEY, host);
      for (const statement of migration(types)) await sql.raw(statement).execute(tx);
    }
    await tx.deleteFrom("catalogMeta").where("key", "=", OPENER_KEY).execute();
    await refreshAll(tx);
    await saveMeta(tx, VERSION_KEY, String(MIGRATIONS.length));
  });
}

async function saveMeta(tx: Transaction<Tables>, key: string, value: string): Promise<void> {
  await tx
    .insertInto("catalogMeta")
    .values({ key, value })
    .onConflict((conflict) => conflict.column("key").doUpdateSet({ value }))
    .execute();
}

/** 0 where there is nothing yet. */
async function readVersion(
  db: Kysely<Tables>,
  dialect: CatalogDatabase["dialect"],
): Promise<number> {
  // Not to_regclass: within a transaction it still answers from what it knew before the lock.
  const found = await (
    dialect === "postgres"
      ? sql<object>`select tablename from pg_catalog.pg_tables
          where schemaname = ${POSTGRES_SCHEMA} and tablename = 'catalog_meta'`
      : sql<object>`select name from sqlite_schema where name = 'catalog_meta'`
  ).execute(db);
  if (found.rows.length === 0) return 0;
  const row = await db
    .selectFrom("catalogMeta")
    .select("value")
    .where("key", "=", VERSION_KEY)
    .executeTakeFirst();
  return Number(row?.value ?? 0);
}

function newer(place: string, version: number): ComebackError {
  return new ComebackError(
    "catalog.unusable",
    `the catalog ${place} was written by a newer Comeback`,
    {
      why: `its schema has version ${version}, and this program knows ${MIGRATIONS.length}`,
      next: "update Comeback on this machine, or give it a catalog of its own",
      context: { version },
    },
  );
}
