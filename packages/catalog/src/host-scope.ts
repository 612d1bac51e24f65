import type { CatalogDatabase } from "./catalog-database.ts";

/** One host's part of a catalog. */
export interface HostScope {
  readonly database: CatalogDatabase;
  readonly host: string;
}
