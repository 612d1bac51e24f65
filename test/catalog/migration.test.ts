import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { openCatalog, verifyAudit } from "@comeback/catalog";
import type { CatalogStore, FileChange, PlanState, SnapshotRecord } from "@comeback/core";
import { systemClock } from "@comeback/platform";
import { makeRun, makeSnapshot } from "@comeback/testkit";
import { scratchFolder } from "../drivers/scratch.ts";
import { makeDatabase, queryPostgres } from "../services/postgres/make-database.ts";
import { startPostgres } from "../services/postgres/start-postgres.ts";

const PROGRAM = fileURLToPath(new URL("migrate-and-die.ts", import.meta.url));
const folder = scratchFolder("catalog-migration");
const server = await startPostgres();
after(() => server[Symbol.asyncDispose]());

/** A catalog as its first schema had it. */
interface OldCatalog {
  readonly location: string;
  query(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

function schemaFile(name: string): string {
  return readFileSync(new URL(`schema-1/${name}.sql`, import.meta.url), "utf8");
}

let made = 0;

async function makeSqlite(): Promise<OldCatalog> {
  const location = join(folder, `catalog-${made++}.sqlite`);
  using database = new DatabaseSync(location);
  database.exec(schemaFile("sqlite") + schemaFile("rows"));
  return {
    location,
    query(sql) {
      using asked = new DatabaseSync(location);
      return Promise.resolve(asked.prepare(sql).all());
    },
  };
}

async function makePostgres(): Promise<OldCatalog> {
  const location = await makeDatabase(server);
  await queryPostgres(location, schemaFile("postgres") + schemaFile("rows"));
  return {
    location,
    query: (sql) => queryPostgres(`${location}?options=-csearch_path%3Dcomeback`, sql),
  };
}

const KINDS = [
  ["SQLite", makeSqlite],
  ["PostgreSQL", makePostgres],
] as const;

function open({ location }: OldCatalog, host = "web3"): Promise<CatalogStore> {
  const { signal } = new AbortController();
  return openCatalog(location, { host, clock: systemClock, signal });
}

const TABLES = [
  "catalog_meta",
  "runs",
  "stages",
  "log_lines",
  "snapshots",
  "proofs",
  "statistics",
  "misses",
  "schedule_marks",
  "plan_states",
  "newest_snapshots",
  "audit_entries",
  "audit_head",
  "notes",
  "history_sources",
  "history_snapshots",
  "file_versions",
];

/** Columns that came later. Runs had a host from the beginning. */
const NEW_COLUMNS = ["host", "took_ms"];

/** All rows of all tables, as the first schema has them. */
async function rowsOf(catalog: OldCatalog): Promise<Record<string, string[]>> {
  const tables: Record<string, string[]> = {};
  for (const table of TABLES) {
    const rows = await catalog.query(`select * from ${table}`);
    tables[table] = rows
      .map((found) => {
        const row: Record<string, unknown> = { ...found };
        if (table !== "runs") for (const column of NEW_COLUMNS) delete row[column];
        return JSON.stringify(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1)));
      })
      .toSorted();
  }
  return tables;
}

const ids = (snapshots: readonly SnapshotRecord[]): string[] =>
  snapshots.map(({ snapshotId }) => snapshotId);

async function* each(changes: readonly FileChange[]): AsyncGenerator<FileChange> {
  yield* changes;
}

/** Everything that was there, and whose it is now. */
async function assertMigrated(store: CatalogStore): Promise<void> {
  const [web1, web2, web3] = ["web1", "web2", "web3"].map((host) => store.forHost(host)) as [
    CatalogStore,
    CatalogStore,
    CatalogStore,
  ];
  const all = { limit: 99 };
  const runs = async (of: CatalogStore) => (await of.listRuns(all)).map(({ id }) => id);
  assert.deepEqual(await runs(web1), ["r1"]);
  assert.deepEqual(await runs(web2), ["r3", "r2"]);
  assert.deepEqual(await runs(web3), []);
  assert.equal((await store.listStages("r1"))[0]?.subject, "nas");
  assert.equal((await store.listLog("r2", -1, 9))[0]?.text, "line");

  assert.deepEqual(ids(await web1.listSnapshots(all)), ["s5", "s1"]);
  assert.deepEqual(ids(await web2.listSnapshots(all)), ["s2", "s3"]);
  const [orphan] = await web3.listSnapshots(all);
  assert.deepEqual(orphan, {
    ...makeSnapshot({ snapshotId: "s4", runId: "gone", plan: "orphan", source: "x" }),
    destination: "cloud",
    copiedFrom: "s9",
    backupType: "full",
    atMs: 9,
    files: 1,
    sizeBytes: 2,
    addedBytes: 3,
    storedBytes: 4,
    items: [{ kind: "path", name: "/srv", sizeBytes: 1 }],
  });

  assert.deepEqual(
    (await store.planStatesOfAllHosts()).map((state) => summaryOf(state)),
    [
      "web1 shop: last r1, good r1, running false, newest s1, proof of web1, misses 0",
      "web2 mail: last r3, good none, running true, newest s3, proof of web2, misses 1",
      "web2 shop: last r2, good none, running false, newest s2, proof none, misses 1",
      "web3 orphan: last none, good none, running false, newest s4, proof none, misses 0",
    ],
  );
  const misses = async (of: CatalogStore) =>
    (await of.listMisses(all)).map(({ plan, scheduledForMs }) => `${plan} ${scheduledForMs}`);
  assert.deepEqual(await misses(web1), ["shop 10"]);
  assert.deepEqual(await misses(web2), ["shop 12", "mail 10"]);
  assert.equal((await web1.listProofs({ plan: "shop", limit: 9 }))[0]?.message, "of web1");
  assert.equal((await web2.listProofs({ plan: "mail", limit: 9 }))[0]?.message, "of web2");

  // Of a destination, whoever has the newest snapshot in it; without any, whoever opens.
  assert.equal((await web2.listStatistics({ destination: "nas", limit: 9 })).length, 2);
  assert.equal((await web3.listStatistics({ destination: "unused", limit: 9 })).length, 1);
  const marks = [web1, web2, web3].map((of) => of.readScheduleMark("shop", "daily"));
  assert.deepEqual(await Promise.all(marks), [5, 5, undefined]);
  assert.equal(await web2.readScheduleMark("mail", "daily"), 6);
  assert.equal(await web3.readScheduleMark("orphan", "daily"), 7);
  assert.equal(await web3.readNote("tidied"), "1");
  assert.equal(await web2.readNote("notify/web2/ops"), "{}");
  const gone = store.forHost("gone.example");
  assert.equal(await gone.readNote("notify/gone.example/ops"), "{}");

  assert.deepEqual(await web2.readFileHistoryHead("shop", "content"), {
    snapshotId: "s2",
    atMs: 21,
  });
  const versions = await web2.listFileVersions("shop", "content", "/a");
  assert.deepEqual(
    versions.map(({ contentHash }) => contentHash),
    ["second", "first"],
  );
  assert.deepEqual(await web2.listFileHistories(), [
    { plan: "mail", source: "db" },
    { plan: "shop", source: "content" },
  ]);
  assert.deepEqual(await web3.listFileHistories(), [{ plan: "orphan", source: "x" }]);
  assert.deepEqual(await web1.listFileHistories(), []);
  const { entries, broken } = await verifyAudit(store);
  assert.deepEqual([entries, broken], [1, undefined]);
}

function summaryOf(state: PlanState): string {
  const { host, plan, lastRun, lastGoodRun, isRunning, newest, lastProof, openMisses } = state;
  return (
    `${host} ${plan}: last ${lastRun?.id ?? "none"}, good ${lastGoodRun?.id ?? "none"}, ` +
    `running ${isRunning}, newest ${ids(newest).join(" ")}, ` +
    `proof ${lastProof?.message ?? "none"}, misses ${openMisses}`
  );
}

for (const [kind, make] of KINDS) {
  test(`${kind}: a catalog of the first schema keeps everything, and goes on`, async () => {
    const catalog = await make();
    const before = await rowsOf(catalog);
    await using store = await open(catalog);
    await assertMigrated(store);
    const migrated = await rowsOf(catalog);
    const derived = ["catalog_meta", "plan_states", "newest_snapshots", "schedule_marks"];
    for (const table of TABLES.filter((name) => !derived.includes(name))) {
      assert.deepEqual(migrated[table], before[table], table);
    }
    assert.equal(migrated["newest_snapshots"]?.length, 4);

    // What was made before, and numbered, does not stand in the way of what follows.
    for (const host of ["web1", "web2"]) {
      await using own = await open(catalog, host);
      const version = { sizeBytes: 1, modifiedAtMs: 1, contentHash: host };
      const snapshot = makeSnapshot({ snapshotId: `new of ${host}`, atMs: 99 });
      await own.recordFileChanges(snapshot, each([{ path: "/a", version }]), {
        isWholeTree: host === "web1",
      });
      await own.saveRun(makeRun({ id: `new of ${host}`, host, startedAtMs: 99 }));
      await own.saveProof({
        runId: "r",
        plan: "shop",
        destination: "nas",
        kind: "check",
        atMs: 99,
        outcome: "ok",
        message: host,
      });
      const [state] = await own.planStates(["shop"]);
      assert.deepEqual([state?.lastRun?.host, state?.lastProof?.message], [host, host]);
      const found = await own.listFileVersions("shop", "content", "/a");
      assert.equal(found.length, host === "web1" ? 1 : 3);
      assert.equal(found[0]?.contentHash, host);
    }
  });

  test(`${kind}: a migration that is killed half-way has not happened, and is done anew`, async () => {
    const catalog = await make();
    const before = await rowsOf(catalog);
    for (const text of [
      "create table plan_owners",
      "drop table snapshots",
      "new_notes rename",
      "drop table plan_owners",
    ]) {
      const { signal, stderr } = spawnSync(process.execPath, [PROGRAM, catalog.location, text], {
        encoding: "utf8",
      });
      assert.equal(signal, "SIGKILL", `${text}: ${stderr}`);
      assert.deepEqual(await rowsOf(catalog), before, text);
    }
    await using store = await open(catalog);
    await assertMigrated(store);
  });
}
