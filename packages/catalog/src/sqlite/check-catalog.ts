import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { catalogFailure } from "../failures.ts";
import { sqliteFailureKind } from "./open-sqlite.ts";

/**
 * Reads the whole file of a catalog, and throws `catalog.damaged` where its pages do not hold. A file
 * that is not there is no damage.
 */
export function checkCatalog(location: string): void {
  const path = resolve(location);
  if (!existsSync(path)) return;
  try {
    using database = new DatabaseSync(path, { readOnly: true });
    const [found] = database.prepare("pragma quick_check(1)").all();
    const problem = Object.values(found ?? {})[0];
    if (problem === "ok") return;
    throw Object.assign(new Error(String(problem)), { errcode: 11 });
  } catch (error) {
    throw catalogFailure(path, sqliteFailureKind(error), error);
  }
}
