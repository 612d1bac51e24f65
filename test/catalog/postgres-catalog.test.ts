import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { openCatalog, verifyAudit } from "@comeback/catalog";
import { type CatalogStore, isComebackError } from "@comeback/core";
import { systemClock } from "@comeback/platform";
import { makeRun } from "@comeback/testkit";
import { makeDatabase, queryPostgres } from "../services/postgres/make-database.ts";
import { startPostgres } from "../services/postgres/start-postgres.ts";

const PROGRAM = fileURLToPath(
  new URL("../../packages/catalog/test/append-from-process.ts", import.meta.url),
);
const server = await startPostgres();
after(() => server[Symbol.asyncDispose]());

function open(url: string): Promise<CatalogStore> {
  const { signal } = new AbortController();
  return openCatalog(url, { host: "web1", clock: systemClock, signal });
}

async function failsAsUnusable(call: Promise<unknown>, says: RegExp): Promise<void> {
  await assert.rejects(call, (error: unknown) => {
    assert.ok(isComebackError(error, "catalog.unusable"), String(error));
    const text = `${error.message}: ${error.why}; ${error.next}`;
    assert.match(text, says);
    assert.ok(!text.includes(server.password), text);
    return true;
  });
}

test("processes that make the catalog and write into it at once: one chain", async () => {
  const url = await makeDatabase(server);
  const names = ["a", "b", "c"];
  await Promise.all(
    names.map((name) => promisify(execFile)(process.execPath, [PROGRAM, url, name, "40"])),
  );
  await using store = await open(url);
  const report = await verifyAudit(store);
  assert.equal(report.broken, undefined);
  assert.equal(report.entries, 120);
  assert.equal((await store.planStates())[0]?.lastRun?.id, "c 39");
});

test("what somebody changed in the audit log by hand is found", async () => {
  const url = await makeDatabase(server);
  await using store = await open(url);
  for (const subject of ["one", "two", "three"]) {
    await store.appendAudit({ atMs: 1.4, actor: "ä", action: "x", subject, details: { f: 0.1 } });
  }
  assert.equal((await verifyAudit(store)).entries, 3);
  await queryPostgres(url, "update comeback.audit_entries set subject = '2' where sequence = 2");
  assert.equal((await verifyAudit(store)).broken?.sequence, 2);
});

test("a server that goes away and comes back: an error, and then on with the same store", async () => {
  const url = await makeDatabase(server);
  await using store = await open(url);
  await store.saveRun(makeRun({ id: "before" }));
  await server.kill();
  await failsAsUnusable(store.saveRun(makeRun({ id: "lost" })), /cannot be used/);
  await failsAsUnusable(open(url), /ECONNREFUSED/);
  await server.restart();
  await store.saveRun(makeRun({ id: "after" }));
  assert.deepEqual(
    (await store.listRuns({ limit: 9 })).map(({ id }) => id),
    ["before", "after"],
  );
});

test("a wrong password, no such database, a newer schema", async () => {
  const url = await makeDatabase(server);
  await failsAsUnusable(open(url.replace(server.password, "wrong")), /password authentication/);
  await failsAsUnusable(open(server.urlOf("nowhere")), /nowhere/);
  await (await open(url))[Symbol.asyncDispose]();
  await queryPostgres(url, "update comeback.catalog_meta set value = '99'");
  await failsAsUnusable(open(url), /newer Comeback/);
});
