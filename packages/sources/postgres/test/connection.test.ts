import assert from "node:assert/strict";
import { test } from "node:test";
import { isComebackError } from "@comeback/core";
import { conninfo, parseConnection } from "../src/connection.ts";

function infoOf(url: string, database?: string): string {
  const connection = parseConnection({ url });
  return conninfo(connection, database ?? connection.database);
}

test("a URL becomes libpq's keywords", () => {
  const cases = {
    "postgres://me@db.example:5433/shop": "host='db.example' port='5433' user='me' dbname='shop'",
    "postgresql://db/": "host='db' dbname='postgres'",
    "postgres://[::1]:5433": "host='::1' port='5433' dbname='postgres'",
    "postgres:///shop": "dbname='shop'",
    "postgres://me@/shop?host=/run/postgresql": "user='me' host='/run/postgresql' dbname='shop'",
    "postgres://me@:5433/": "port='5433' user='me' dbname='postgres'",
    "postgres://%2Frun%2Fpostgresql/x?sslmode=require&dbname=y":
      "host='/run/postgresql' sslmode='require' dbname='y'",
  };
  for (const [url, expected] of Object.entries(cases)) assert.equal(infoOf(url), expected);
});

test("names with quotes and backslashes stay one value", () => {
  assert.equal(
    infoOf("postgres://db", String.raw`it's a \ base`),
    String.raw`host='db' dbname='it\'s a \\ base'`,
  );
});

test("a password is taken out of the URL, and another one wins over it", () => {
  const url = "postgres://me:p%40ss@db/shop?password=x%20y";
  assert.equal(parseConnection({ url }).password, "x y");
  assert.equal(parseConnection({ url: "postgres://me:p%40ss@db" }).password, "p@ss");
  assert.equal(parseConnection({ url, password: "own" }).password, "own");
  assert.ok(!infoOf(url).includes("p@ss") && !infoOf(url).includes("x y"));
  assert.deepEqual(parseConnection({}).keywords.size, 0);
});

test("what is no URL of PostgreSQL is refused, and not shown: it may hold a password", () => {
  for (const url of ["", "db", "mysql://me:hidden@db", "host=db password=hidden"]) {
    assert.throws(
      () => parseConnection({ url }),
      (error) =>
        isComebackError(error, "configuration.invalid") &&
        !JSON.stringify([error, error.message]).includes("hidden"),
    );
  }
});
