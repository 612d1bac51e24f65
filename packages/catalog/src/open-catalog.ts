import type { CatalogStore, Clock } from "@comeback/core";
import { migrate } from "./migrations/migrate.ts";
import { openPostgres } from "./postgres/open-postgres.ts";
import { storableText } from "./rows.ts";
import { SqlCatalogStore } from "./sql-catalog-store.ts";
import { openSqlite } from "./sqlite/open-sqlite.ts";

export interface OpenCatalogOptions {
  /** Whose records are read and written: as it is in the runs, and as the snapshots' hostname. */
  readonly host: string;
  readonly clock: Clock;
  /**
   * Ends opening, and waiting for others that write. Calls that need not wait still work after it:
   * a run that was interrupted records that it was.
   */
  readonly signal: AbortSignal;
  /** False: an error where there is no file yet, for those who only look. Default: true. */
  readonly create?: boolean;
}

/**
 * Opens the catalog at `location`: the path of a SQLite file (with the folders above it made, all
 * readable by this user only), or the URL of a PostgreSQL database (`postgres://…`), where the tables
 * are in a schema named `comeback`. Its schema is brought up
 * to date; what is of no known host in an older one becomes that of `host`.
 *
 * Rejects with `catalog.none` where there is none and `create` is false, with `catalog.unusable` where
 * it cannot be done, among others because a newer Comeback has been there, and with `catalog.damaged`
 * where the file is no database (any more).
 */
export async function openCatalog(
  location: string,
  options: OpenCatalogOptions,
): Promise<CatalogStore> {
  const { clock, signal, create = true } = options;
  const host = storableText(options.host);
  signal.throwIfAborted();
  const database = await (isServer(location)
    ? openPostgres(location, { clock, signal })
    : openSqlite(location, { clock, signal, create }));
  try {
    await migrate(database, host);
    return new SqlCatalogStore({ database, host });
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
}

export function isServer(location: string): boolean {
  return /^postgres(?:ql)?:\/\//.test(location);
}
