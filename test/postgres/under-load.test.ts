import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import type { BackupResult } from "@comeback/engine";
import { executePostgresRestore, planPostgresRestore } from "@comeback/source-postgres";
import { Client } from "../drivers/client.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { type Finished, type Running, startProgram } from "../drivers/run-program.ts";
import { scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK } from "../drivers/tools.ts";
import { waitUntil } from "../drivers/wait-until.ts";
import { startPostgres } from "../services/postgres/start-postgres.ts";
import { accessTo, backUp, checksums, pinCluster, schemaOf, sql } from "./clusters.ts";

const { signal } = new AbortController();
const folder = scratchFolder("postgres-load");
const client = new Client(COMEBACK, join(folder, "repository"));
const [live, empty] = [await startPostgres(), await startPostgres()];
/** What the databases were at the pinned moment, asked of the live server through its snapshots. */
const pinned = { shop: "", functions: "" };
let schema = "";

/** The same transactions as pgbench's keep these equal. */
const BALANCES = `SELECT (SELECT sum(abalance) FROM pgbench_accounts),
  (SELECT sum(tbalance) FROM pgbench_tellers), (SELECT sum(bbalance) FROM pgbench_branches),
  (SELECT sum(delta) FROM pgbench_history)`;

const FUNCTIONS = `
CREATE ROLE worker LOGIN PASSWORD 'hidden';
CREATE SCHEMA jobs AUTHORIZATION worker;
CREATE TABLE jobs.queue (id serial PRIMARY KEY, body jsonb, ü text DEFAULT 'ß');
ALTER TABLE jobs.queue OWNER TO worker;
CREATE INDEX ON jobs.queue (ü);
INSERT INTO jobs.queue (body) SELECT jsonb_build_object('n', n) FROM generate_series(1, 5000) n;
CREATE VIEW jobs.first AS SELECT * FROM jobs.queue WHERE id = 1;
CREATE FUNCTION jobs.count() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM jobs.queue';
SELECT lo_from_bytea(4711, 'a large object'::bytea);
`;

function pgbench(...args: string[]): Running {
  return startProgram(join(live.programFolder, "pgbench"), [...args, live.urlOf("shop")], {
    mayRunOn: true,
  });
}

/** The checksums at an exported snapshot of the database, found in the server's own folder. */
function atSnapshot(database: string): string {
  for (const id of readdirSync(join(live.dataFolder, "pg_snapshots"))) {
    try {
      const begin = `BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '${id}';`;
      return checksums(live, database, begin);
    } catch {
      // It is the other database's.
    }
  }
  return assert.fail(`no snapshot of ${database} is exported`);
}

before(async () => {
  await makeQuickRepository(client.repository);
  for (const name of ["shop", "functions"]) sql(live, "postgres", `CREATE DATABASE ${name}`);
  sql(live, "functions", FUNCTIONS);
  assert.equal((await pgbench("-i", "-q", "-s", "2").finished).exitCode, 0);
  const load = pgbench("-c", "4", "-T", "600", "-n");
  const transactions = (): number =>
    Number(sql(live, "shop", "SELECT count(*) FROM pgbench_history"));
  await waitUntil("the load has begun", () => transactions() > 100);
  await using cluster = await pinCluster(accessTo(live));
  const atPin = transactions();
  await waitUntil("the load has gone on", () => transactions() > atPin + 500);
  pinned.shop = atSnapshot("shop");
  pinned.functions = atSnapshot("functions");
  schema = schemaOf(live, "functions");
  sql(live, "functions", "DELETE FROM jobs.queue WHERE id > 10");
  const result = await backUp(client.repository, cluster);
  assert.equal(load.child.exitCode, null, "the load ended before the backup did");
  assert.deepEqual(result.problems, []);
  assert.deepEqual(cluster.missing(), []);
  assert.deepEqual(
    cluster.items.map(({ kind, name }) => `${kind} ${name}`),
    ["globals globals", "database functions", "database postgres", "database shop"],
  );
  load.child.kill("SIGKILL");
  await load.finished;
});

function piped(script: string): Promise<Finished> {
  return startProgram("bash", ["-o", "pipefail", "-c", script], {
    env: {
      ...client.environment,
      RESTIC_REPOSITORY: client.repository,
      COMEBACK: COMEBACK.command,
      PATH: `${empty.programFolder}:${process.env["PATH"]}`,
      PGHOST: "127.0.0.1",
      PGPORT: String(empty.port),
      PGUSER: empty.user,
      PGPASSWORD: empty.password,
    },
  }).finished;
}

test("a snapshot taken under load comes back as it was at its moment, by two programs in a pipe", async () => {
  const globals = await piped(
    '"$COMEBACK" dump latest /postgres/main/globals.sql | grep -v "^ALTER ROLE postgres WITH" | psql -X -q --dbname=postgres',
  );
  assert.equal(globals.exitCode, 0, globals.describe());
  for (const name of ["shop", "functions"]) {
    const restored = await piped(
      `"$COMEBACK" dump latest /postgres/main/${name}.dump | pg_restore --exit-on-error --create --dbname=postgres`,
    );
    assert.equal(restored.exitCode, 0, restored.describe());
  }
  assert.equal(checksums(empty, "shop"), pinned.shop);
  assert.equal(checksums(empty, "functions"), pinned.functions);
  assert.equal(schemaOf(empty, "functions"), schema);
  assert.equal(schemaOf(empty, "shop"), schemaOf(live, "shop"));
  const [accounts, ...others] = sql(empty, "shop", BALANCES).split("|");
  assert.deepEqual(others, [accounts, accounts, accounts]);
  assert.equal(
    sql(empty, "functions", "SELECT convert_from(lo_get(4711), 'UTF8')"),
    "a large object",
  );
  const role = "SELECT rolcanlogin, rolpassword FROM pg_authid WHERE rolname = 'worker'";
  assert.equal(sql(empty, "postgres", role), sql(live, "postgres", role));
});

async function dumped(name: string): Promise<Buffer> {
  return (await client.done(["dump", "latest", `/postgres/main/${name}`])).stdout;
}

async function* chunksOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

test("one table comes back alone, by two programs in a pipe", async () => {
  sql(empty, "postgres", "CREATE DATABASE piped");
  const restored = await piped(
    '"$COMEBACK" dump latest /postgres/main/shop.dump | pg_restore --exit-on-error --table=pgbench_accounts --dbname=piped',
  );
  assert.equal(restored.exitCode, 0, restored.describe());
  const accounts = pinned.shop.split("\n").filter((line) => line.includes("pgbench_accounts"));
  assert.equal(accounts.length, 1);
  assert.equal(checksums(empty, "piped"), accounts[0]);
});

test("one table comes back alone, under another database's name", async () => {
  const options = {
    ...accessTo(empty),
    database: "functions",
    into: "one table",
    tables: ["jobs.queue"],
  };
  sql(empty, "postgres", 'CREATE DATABASE "one table"');
  sql(empty, "one table", "CREATE SCHEMA jobs; CREATE TABLE jobs.other (id int)");
  const plan = await planPostgresRestore(options, signal);
  assert.equal(plan.creates, "no");
  const bytes = await dumped("functions.dump");
  const dump = { kind: "stream", chunks: chunksOf(bytes) } as const;
  await executePostgresRestore(plan, { ...options, dump, signal, onLine() {} });
  const queue = pinned.functions.split("\n").find((line) => line.startsWith("jobs.queue"));
  assert.ok(
    checksums(empty, "one table")
      .split("\n")
      .includes(queue ?? "none"),
  );
  await assert.rejects(planPostgresRestore(options, signal), /is not empty/);
  const none = { ...options, tables: ["jobs.none"] };
  const again = { kind: "stream", chunks: chunksOf(bytes) } as const;
  await assert.rejects(
    executePostgresRestore(await planPostgresRestore(none, signal), {
      ...none,
      dump: again,
      signal,
      onLine() {},
    }),
    /the dump has no table jobs.none/,
  );
});

test("a restore by the package: roles first, several jobs, and never over what is there", async () => {
  await using third = await startPostgres();
  const options = { ...accessTo(third), database: "functions", withGlobals: true, jobs: 2 };
  const plan = await planPostgresRestore(options, signal);
  assert.equal(plan.creates, "from-dump");
  assert.equal(sql(third, "postgres", "SELECT count(*) FROM pg_database"), "3");
  const path = join(folder, "functions.dump");
  writeFileSync(path, await dumped("functions.dump"));
  const globals = await dumped("globals.sql");
  const dump = { kind: "file", path } as const;
  const execution = { ...options, dump, signal, onLine() {} };
  await executePostgresRestore(plan, { ...execution, globalsSql: chunksOf(globals) });
  assert.equal(checksums(third, "functions"), pinned.functions);
  assert.equal(schemaOf(third, "functions"), schema);
  await assert.rejects(planPostgresRestore(options, signal), /functions is not empty/);
  // Roles that are there already are no failure.
  const renamed = { ...execution, into: "copy", jobs: 1 };
  const copy = await planPostgresRestore(renamed, signal);
  await executePostgresRestore(copy, { ...renamed, globalsSql: chunksOf(globals) });
  assert.equal(checksums(third, "copy"), pinned.functions);
  const damaged = { ...renamed, into: "damaged", withGlobals: false };
  const half = {
    kind: "stream",
    chunks: chunksOf((await dumped("functions.dump")).subarray(0, 90_000)),
  } as const;
  await assert.rejects(
    executePostgresRestore(await planPostgresRestore(damaged, signal), { ...damaged, dump: half }),
    /pg_restore failed/,
  );
  assert.equal(
    sql(third, "damaged", "SELECT count(*) FROM pg_tables WHERE schemaname = 'jobs'"),
    "0",
  );
});

test("what does not change is not stored again", async () => {
  const backUpNow = async (): Promise<BackupResult> => {
    await using cluster = await pinCluster(accessTo(live));
    return await backUp(client.repository, cluster);
  };
  const before = await backUpNow();
  const after = await backUpNow();
  assert.ok(before.summary.total_bytes_processed > 20_000_000);
  // The beginning of a dump tells its time; all chunks behind the first are there already.
  const added = after.summary.data_added;
  assert.ok(added < before.summary.total_bytes_processed / 2, `${added} bytes were added`);
  execFileSync("restic", ["--no-cache", "-r", client.repository, "check", "--read-data"], {
    env: { ...process.env, RESTIC_PASSWORD: client.environment["RESTIC_PASSWORD"] },
  });
});
