import {
  CATALOG_CONNECT_MAX_MS,
  CATALOG_CONNECTIONS,
  CATALOG_QUERY_MAX_MS,
  ComebackError,
} from "@comeback/core";
import { CamelCasePlugin, Kysely, PostgresDialect } from "kysely";
import { CatalogDatabase, type DatabaseOptions } from "../catalog-database.ts";
import type { FailureKind } from "../failures.ts";
import type { Tables } from "../tables.ts";

/** Our tables stand in a schema of their own: the database may hold others'. */
export const POSTGRES_SCHEMA = "comeback";
const INT8_OID = 20;

/** SQLSTATEs (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const KINDS: Readonly<Record<string, FailureKind>> = {
  "40001": "busy",
  "40P01": "busy",
  "53100": "full",
  XX001: "damaged",
  XX002: "damaged",
};

export function postgresFailureKind(error: unknown): FailureKind {
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? (KINDS[code] ?? "other") : "other";
}

/** Opens a catalog on a server; the driver is loaded only here. */
export async function openPostgres(
  url: string,
  options: DatabaseOptions,
): Promise<CatalogDatabase> {
  const place = placeOf(url);
  const { default: pg } = await import("pg");
  const types = new pg.TypeOverrides();
  types.setTypeParser(INT8_OID, wholeNumber);
  const pool = new pg.Pool({
    connectionString: url,
    max: CATALOG_CONNECTIONS,
    connectionTimeoutMillis: CATALOG_CONNECT_MAX_MS,
    query_timeout: CATALOG_QUERY_MAX_MS,
    application_name: "comeback",
    // Whoever waits in a pool for their next call must not keep the process alive.
    allowExitOnIdle: true,
    types,
  });
  // A connection that breaks while nobody uses it is replaced at the next call.
  pool.on("error", () => {});
  const db = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool }),
    plugins: [new CamelCasePlugin()],
  }).withSchema(POSTGRES_SCHEMA);
  return new CatalogDatabase({
    ...options,
    db,
    dialect: "postgres",
    place,
    failureKind: postgresFailureKind,
    close: () => db.destroy(),
  });
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is no number that we wrote`);
  return value;
}

/** As it may be shown: without the user's password, and without settings, which may hold one. */
function placeOf(url: string): string {
  try {
    const { host, pathname, username } = new URL(url);
    return `postgres://${username === "" ? "" : `${username}@`}${host}${pathname}`;
  } catch {
    // The cause would quote the whole URL.
    throw new ComebackError("catalog.unusable", "the catalog's URL cannot be read", {
      next: "write it as postgres://user:password@host:5432/database, with %-signs for odd characters",
    });
  }
}
