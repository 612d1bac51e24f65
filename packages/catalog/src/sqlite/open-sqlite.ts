import { closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ComebackError } from "@comeback/core";
import { CamelCasePlugin, Kysely, SqliteDialect } from "kysely";
import { CatalogDatabase, type DatabaseOptions } from "../catalog-database.ts";
import type { FailureKind } from "../failures.ts";
import type { Tables } from "../tables.ts";
import { NodeSqliteDatabase } from "./sqlite-database.ts";

/** "Comb", for `file` and for us: nobody's database is taken for a catalog. */
const APPLICATION_ID = 0x43_6f_6d_62;
/** SQLite blocks the whole thread while it waits: the waiting is ours. */
const BLOCKING_WAIT_MS = 0;
const CACHE_KIB = 16 * 1024;
const WAL_KEPT_BYTES = 16 * 1024 * 1024;

/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html). */
const KINDS: Readonly<Record<number, FailureKind>> = {
  5: "busy",
  6: "busy",
  11: "damaged",
  13: "full",
  26: "damaged",
};

export function sqliteFailureKind(error: unknown): FailureKind {
  const { errcode, code } = error as { errcode?: unknown; code?: unknown };
  if (code === "ENOSPC" || code === "EDQUOT") return "full";
  return typeof errcode === "number" ? (KINDS[errcode & 0xff] ?? "other") : "other";
}

/** Opens a catalog in a file, and makes it where it is missing and may be made. */
export async function openSqlite(
  location: string,
  options: DatabaseOptions & { readonly create: boolean },
): Promise<CatalogDatabase> {
  const path = resolve(location);
  const open = (): DatabaseSync => {
    if (!existsSync(path)) {
      if (!options.create) throw noCatalog(path);
      // Others have no business with it; SQLite gives the files beside it the same mode.
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      closeSync(openSync(path, "a", 0o600));
    }
    const database = new DatabaseSync(path, { timeout: BLOCKING_WAIT_MS });
    try {
      prepare(database, path);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  };
  // Kysely owns the connection once the first query has run, and not before.
  const connection = await CatalogDatabase.waitWhileBusy(
    { ...options, place: path, failureKind: sqliteFailureKind },
    () => Promise.resolve(open()),
  );
  const db = new Kysely<Tables>({
    dialect: new SqliteDialect({ database: new NodeSqliteDatabase(connection) }),
    plugins: [new CamelCasePlugin()],
  });
  return new CatalogDatabase({
    ...options,
    db,
    dialect: "sqlite",
    place: path,
    failureKind: sqliteFailureKind,
    close: async () => {
      await db.destroy();
      if (connection.isOpen) connection.close();
    },
  });
}

function prepare(database: DatabaseSync, path: string): void {
  const number = (pragma: string): number =>
    Number(Object.values(database.prepare(`pragma ${pragma}`).get() ?? {})[0]);
  const tables = database.prepare("select count(*) as count from sqlite_schema").get() as {
    count: number;
  };
  if (tables.count > 0 && number("application_id") !== APPLICATION_ID) {
    throw new ComebackError("catalog.unusable", `${path} is no catalog`, {
      why: "it is a database of another program",
      next: "name another file for the catalog",
    });
  }
  // The log lets others read while one writes; FULL makes each commit wait for the disk.
  database.exec("pragma journal_mode = wal");
  database.exec("pragma synchronous = full");
  database.exec(`pragma cache_size = -${CACHE_KIB}`);
  database.exec(`pragma journal_size_limit = ${WAL_KEPT_BYTES}`);
  if (number("application_id") !== APPLICATION_ID) {
    database.exec(`pragma application_id = ${APPLICATION_ID}`);
  }
}

function noCatalog(path: string): ComebackError {
  return new ComebackError("catalog.none", `there is no catalog at ${path}`, {
    why: "no run has been recorded there yet",
    next: "name the right one with --catalog, or fill a new one with `comeback history --rebuild`",
  });
}
