import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { CatalogStore } from "@comeback/core";
import { makeRun, makeSnapshot } from "@comeback/testkit";
import { TemporaryCatalogs } from "./temporary-catalog.ts";

/** Everything that is asked while one host works; what rebuilds or shows all of it is not here. */
async function askEverything(store: CatalogStore): Promise<void> {
  const run = makeRun({ id: "a", endedAtMs: 1, outcome: "ok" });
  await store.saveRun(run);
  await store.saveSnapshot(makeSnapshot({ snapshotId: "s" }));
  await store.markRemoved("nas", ["s"], 1);
  const proof = { runId: "a", plan: "shop", destination: "nas", kind: "check" } as const;
  await store.saveProof({ ...proof, atMs: 1, outcome: "ok", message: "" });
  const miss = {
    plan: "shop",
    trigger: "daily",
    scheduledForMs: 1,
    noticedAtMs: 1,
    reason: "down",
  };
  await store.saveMiss(miss);
  await store.findRun("a");
  const limit = 20;
  await store.listRuns({ limit });
  await store.listRuns({ hosts: "all", limit });
  await store.listRuns({ plan: "shop", limit });
  await store.listRuns({ hosts: "all", idPrefix: "2026", limit });
  await store.listOpenRuns();
  await store.listSnapshots({ plan: "shop", limit });
  await store.listSnapshots({ plan: "shop", source: "content", limit });
  await store.listSnapshots({ destination: "nas", snapshotId: "s", limit });
  await store.listSnapshots({ runId: "a", limit });
  await store.listProofs({ plan: "shop", limit });
  await store.listStatistics({ destination: "nas", limit });
  await store.listMisses({ plan: "shop", limit });
  await store.planStates(["shop"]);
  await store.planStates();
  await store.planStatesOfAllHosts();
  await store.readScheduleMark("shop", "daily");
  await store.readNote("note");
  await store.readFileHistoryHead("shop", "content");
  await store.listFileVersions("shop", "content", "/a");
  await store.removeRunsBefore(2);
}

/** Steps through all rows of a table, or of a host's, of which there are few or only the first are read. */
const ALLOWED: ReadonlySet<string> = new Set([
  "SCAN plan_states",
  "SEARCH plan_states USING PRIMARY KEY (host=?)",
  "SEARCH runs USING INDEX runs_open (host=?)",
  "SEARCH misses USING PRIMARY KEY (host=?)",
]);
/** The newest, as far as the limit. */
const IN_ORDER: ReadonlySet<string> = new Set([
  "SCAN runs USING INDEX runs_by_time",
  "SEARCH runs USING INDEX runs_by_host (host=?)",
]);

function stepsOf(database: DatabaseSync, sql: string): string[] {
  return database
    .prepare(`explain query plan ${sql}`)
    .all()
    .map(({ detail }) => String(detail));
}

test("nothing that is asked reads through a table of many rows", async () => {
  await using catalogs = new TemporaryCatalogs();
  const store = await catalogs.open();
  const asked = new Set<string>();
  const prepare = DatabaseSync.prototype.prepare;
  DatabaseSync.prototype.prepare = function (sql, ...rest) {
    if (/^(?:select|update|delete)/.test(sql)) asked.add(sql);
    return prepare.call(this, sql, ...rest);
  };
  try {
    await askEverything(store);
  } finally {
    DatabaseSync.prototype.prepare = prepare;
  }
  assert.ok(asked.size > 30, `${asked.size} statements`);
  using database = new DatabaseSync(catalogs.path);
  for (const sql of asked) {
    const steps = stepsOf(database, sql);
    const isSorted = steps.some((step) => step.startsWith("USE TEMP B-TREE FOR"));
    for (const step of steps) {
      if (!/^SCAN|\(host=\?\)/.test(step) || ALLOWED.has(step)) continue;
      assert.ok(IN_ORDER.has(step) && !isSorted, `${sql}\n${steps.join("\n")}`);
    }
  }
});
