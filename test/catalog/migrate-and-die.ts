/**
 * Opens the catalog that is named, which brings its schema up to date, and is killed in front of the
 * first statement that holds a text.
 */
import { DatabaseSync } from "node:sqlite";
import { openCatalog } from "@comeback/catalog";
import { systemClock } from "@comeback/platform";
import pg from "pg";

const [location = "", text = ""] = process.argv.slice(2);

function dieAt(statement: unknown): void {
  const sql = typeof statement === "string" ? statement : (statement as { text?: string }).text;
  if (sql?.includes(text) === true) process.kill(process.pid, "SIGKILL");
}

const prepare = DatabaseSync.prototype.prepare;
DatabaseSync.prototype.prepare = function (sql, ...rest) {
  dieAt(sql);
  return prepare.call(this, sql, ...rest);
};
const query = pg.Client.prototype.query as (...args: unknown[]) => unknown;
pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
  dieAt(args[0]);
  return query.apply(this, args);
} as typeof pg.Client.prototype.query;

const { signal } = new AbortController();
await using _ = await openCatalog(location, { host: "web3", clock: systemClock, signal });
