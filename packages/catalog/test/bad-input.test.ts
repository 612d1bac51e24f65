import assert from "node:assert/strict";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openCatalog, setAsideCatalog } from "@comeback/catalog";
import { ComebackError, type ErrorCode } from "@comeback/core";
import { systemClock } from "@comeback/platform";
import { makeRun, SimulatedClock } from "@comeback/testkit";
import { TemporaryCatalogs } from "./temporary-catalog.ts";

async function fails(call: Promise<unknown>, code: ErrorCode, says: RegExp): Promise<void> {
  await assert.rejects(call, (error: unknown) => {
    assert.ok(error instanceof ComebackError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(`${error.message}: ${error.why}; ${error.next}`, says);
    return true;
  });
}

test("a new catalog is readable by its user only, and not made by those who only look", async () => {
  await using catalogs = new TemporaryCatalogs();
  await fails(catalogs.open({ create: false }), "catalog.none", /there is no catalog.*--rebuild/);
  const store = await catalogs.open();
  await store.saveRun(makeRun({ id: "a" }));
  for (const name of readdirSync(dirname(catalogs.path))) {
    const { mode } = statSync(`${dirname(catalogs.path)}/${name}`);
    assert.equal(mode & 0o777, 0o600, name);
  }
  assert.equal(statSync(dirname(catalogs.path)).mode & 0o777, 0o700);
  const looker = await catalogs.open({ create: false });
  assert.equal((await looker.listRuns({ limit: 9 })).length, 1);
});

test("a file that is no database is damaged: said with the way out, and left as it is", async () => {
  await using catalogs = new TemporaryCatalogs();
  mkdirSync(dirname(catalogs.path), { recursive: true });
  const content = "this was a catalog once ".repeat(500);
  writeFileSync(catalogs.path, content);
  await fails(catalogs.open(), "catalog.damaged", /comeback history --rebuild/);
  assert.equal(readFileSync(catalogs.path, "utf8"), content);
  const aside = setAsideCatalog(catalogs.path, new SimulatedClock(Date.UTC(2026, 10, 28, 2, 3, 4)));
  assert.equal(aside, `${catalogs.path}.damaged-20261128T020304Z`);
  assert.equal(readFileSync(aside, "utf8"), content);
  const store = await catalogs.open();
  assert.deepEqual(await store.listRuns({ limit: 1 }), []);
  await store[Symbol.asyncDispose]();
  const again = setAsideCatalog(catalogs.path, new SimulatedClock(Date.UTC(2026, 10, 28, 2, 3, 4)));
  assert.equal(again, `${aside}-1`);
});

test("pages that do not hold are found when they are read", async () => {
  await using catalogs = new TemporaryCatalogs();
  const store = await catalogs.open();
  for (let i = 0; i < 300; i++) {
    await store.saveRun(makeRun({ id: `run ${i}`, message: "m".repeat(500) }));
  }
  await store[Symbol.asyncDispose]();
  const { size } = statSync(catalogs.path);
  const bytes = readFileSync(catalogs.path);
  bytes.fill(0xff, 4096 * 3, size);
  writeFileSync(catalogs.path, bytes);
  const damaged = async (): Promise<unknown> => {
    const opened = await catalogs.open();
    return await opened.listRuns({ limit: 1_000 });
  };
  await fails(damaged(), "catalog.damaged", /rebuild/);
  truncateSync(catalogs.path, 5_000);
  await fails(damaged(), "catalog.damaged", /rebuild/);
});

test("another program's database is not touched", async () => {
  await using catalogs = new TemporaryCatalogs();
  mkdirSync(dirname(catalogs.path), { recursive: true });
  {
    using database = new DatabaseSync(catalogs.path);
    database.exec("create table photos (id integer)");
  }
  const before = readFileSync(catalogs.path);
  await fails(catalogs.open(), "catalog.unusable", /another program/);
  assert.equal(Buffer.compare(readFileSync(catalogs.path), before), 0);
});

test("a newer schema is refused, and said to be one", async () => {
  await using catalogs = new TemporaryCatalogs();
  await (await catalogs.open()).saveNote("k", "v");
  {
    using database = new DatabaseSync(catalogs.path);
    database.exec("update catalog_meta set value = '99' where key = 'schema-version'");
  }
  await fails(catalogs.open(), "catalog.unusable", /newer Comeback.*version 99.*update Comeback/);
});

test("an abort ends waiting for others; what need not wait is still written", async () => {
  await using catalogs = new TemporaryCatalogs();
  await catalogs.open();
  using other = new DatabaseSync(catalogs.path);
  other.exec("begin immediate");
  const controller = new AbortController();
  const waiting = await catalogs.open({ signal: controller.signal });
  const call = waiting.saveRun(makeRun({ id: "blocked" }));
  controller.abort(new ComebackError("interrupted", "stopped"));
  await fails(call, "interrupted", /stopped/);
  other.exec("rollback");
  await waiting.saveRun(makeRun({ id: "after the abort" }));
  assert.deepEqual(
    (await waiting.listRuns({ limit: 9 })).map(({ id }) => id),
    ["after the abort"],
  );
});

test("whoever waits too long for others is told so", async () => {
  await using catalogs = new TemporaryCatalogs();
  const store = await catalogs.open();
  using other = new DatabaseSync(catalogs.path);
  other.exec("begin immediate");
  const clock = new SimulatedClock();
  const waiting = await catalogs.open({ clock });
  const call = fails(waiting.saveRun(makeRun({ id: "a" })), "catalog.unusable", /busy/);
  await clock.advance(60_000);
  await call;
  other.exec("rollback");
  await store.saveRun(makeRun({ id: "a" }));
});

test("a URL that cannot be read, and a server that is not there, without the password", async () => {
  const { signal } = new AbortController();
  const open = (url: string): Promise<unknown> =>
    openCatalog(url, { host: "web1", clock: systemClock, signal });
  for (const url of ["postgres://me:se/cret@:x/", "postgres://me:secret@127.0.0.1:1/catalog"]) {
    await assert.rejects(open(url), (error: unknown) => {
      assert.ok(error instanceof ComebackError, String(error));
      assert.equal(error.code, "catalog.unusable");
      assert.doesNotMatch(`${error.message} ${error.why} ${error.next}`, /cret/);
      return true;
    });
  }
});
