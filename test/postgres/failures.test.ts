import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Finding, isComebackError } from "@comeback/core";
import { protectPostgres, type ProtectPostgresOptions } from "@comeback/source-postgres";
import { Client } from "../drivers/client.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK } from "../drivers/tools.ts";
import { startPostgres } from "../services/postgres/start-postgres.ts";
import { accessTo, backUp, pinCluster, sql } from "./clusters.ts";

const { signal } = new AbortController();
const folder = scratchFolder("postgres-failures");
const client = new Client(COMEBACK, join(folder, "repository"));
const server = await startPostgres();
await makeQuickRepository(client.repository);
for (const name of ["good", "bad", "large"]) sql(server, "postgres", `CREATE DATABASE ${name}`);
const rows = "SELECT n, md5(n::text) AS text FROM generate_series(1, 100) n";
for (const name of ["good", "bad"]) sql(server, name, `CREATE TABLE things AS ${rows}`);
sql(server, "large", `CREATE TABLE things AS ${rows.replace("100)", "200000)")}`);

const allButPostgres = { exclude: ["postgres"] };

interface Outcome {
  readonly files: readonly string[];
  readonly problems: readonly string[];
  readonly missing: readonly string[];
  readonly reasons: string;
}

/** Backs the cluster up, and lists what is in the snapshot then. */
async function backUpCluster(options: ProtectPostgresOptions): Promise<Outcome> {
  await using cluster = await pinCluster(options);
  const { problems, snapshot } = await backUp(client.repository, cluster);
  const { stdout } = await client.done(["ls", snapshot!.id]);
  const missing = cluster.missing();
  return {
    files: [...stdout.toString().matchAll(/^\/postgres\/main\/(.*)$/gm)].map(([, name]) => name!),
    problems: problems.map(({ path }) => path),
    missing: missing.map(({ kind, name }) => `${kind} ${name}`),
    reasons: missing.map(({ reason }) => reason).join("; "),
  };
}

async function failedFindings(options: ProtectPostgresOptions): Promise<Finding[]> {
  const findings = await protectPostgres(options).probe({ signal });
  return findings.filter(({ state }) => state === "failed");
}

/** A folder with the real programs, some of them stood in for. */
function programsWith(name: string, standIns: Readonly<Record<string, string>>): string {
  const programs = join(folder, name);
  mkdirSync(programs);
  for (const program of readdirSync(server.programFolder)) {
    const path = join(programs, program);
    if (standIns[program] === undefined) symlinkSync(join(server.programFolder, program), path);
    else {
      writeFileSync(path, `#!/bin/bash\n${standIns[program]}\n`);
      chmodSync(path, 0o755);
    }
  }
  return programs;
}

test("a database whose file is damaged is missing, and the others are dumped whole", async () => {
  sql(server, "postgres", "CREATE DATABASE damaged TEMPLATE bad");
  const path = sql(server, "damaged", "CHECKPOINT; SELECT pg_relation_filepath('things')");
  sql(
    server,
    "postgres",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'damaged'",
  );
  rmSync(join(server.dataFolder, path));
  const outcome = await backUpCluster(accessTo(server, allButPostgres));
  assert.deepEqual(outcome.files, ["bad.dump", "globals.sql", "good.dump", "large.dump"]);
  assert.deepEqual(outcome.problems, ["/postgres/main/damaged.dump"]);
  assert.deepEqual(outcome.missing, ["database damaged"]);
  assert.match(outcome.reasons, /could not open file|No such file/);
  sql(server, "postgres", "DROP DATABASE damaged");
});

test("a database that the user may not connect to is missing, and known before the run", async () => {
  const setUp = `CREATE ROLE dumper LOGIN PASSWORD 'of dumper'; GRANT pg_read_all_data TO dumper;
    REVOKE CONNECT ON DATABASE bad FROM PUBLIC`;
  sql(server, "postgres", setUp);
  const options = accessTo(server, {
    ...allButPostgres,
    globals: false,
    address: async () => ({
      url: `postgres://dumper:of%20dumper@127.0.0.1:${server.port}/postgres`,
    }),
  });
  assert.deepEqual(
    (await failedFindings(options)).map(({ subject }) => subject),
    ["database bad"],
  );
  const outcome = await backUpCluster(options);
  assert.deepEqual(outcome.files, ["good.dump", "large.dump"]);
  assert.deepEqual(outcome.missing, ["database bad"]);
  assert.match(outcome.reasons, /permission denied/);
  sql(server, "postgres", "REVOKE pg_read_all_data FROM dumper");
  const withGlobals = { ...options, globals: true };
  const subjects = (await failedFindings(withGlobals)).map(({ subject }) => subject);
  assert.deepEqual(subjects, ["database bad", "globals"]);
  assert.deepEqual((await backUpCluster(withGlobals)).missing, [
    "database bad",
    "globals globals",
    "database good",
    "database large",
  ]);
});

test("a dump that is killed after megabytes leaves no half of it in the snapshot", async () => {
  const killed = `if [[ "$*" != *large* ]]; then exec ${server.programFolder}/pg_dump "$@"; fi
    ${server.programFolder}/pg_dump "$@" | head -c 5000000; echo cut off >&2; kill -9 $$`;
  const programs = programsWith("killed", { pg_dump: killed });
  const outcome = await backUpCluster(accessTo(server, { ...allButPostgres, programs }));
  assert.deepEqual(outcome.files, ["bad.dump", "globals.sql", "good.dump"]);
  assert.deepEqual(outcome.missing, ["database large"]);
  assert.match(outcome.reasons, /ended by SIGKILL: cut off/);
  await client.check();
});

test("a database that was asked for by name and is gone is missing; any other is just not there", async () => {
  sql(server, "postgres", "CREATE DATABASE passing");
  const named = accessTo(server, { databases: ["good", "passing"] });
  assert.deepEqual((await backUpCluster(named)).missing, []);
  sql(server, "postgres", "DROP DATABASE passing");
  const outcome = await backUpCluster(named);
  assert.deepEqual(outcome.files, ["globals.sql", "good.dump"]);
  assert.deepEqual(outcome.missing, ["database passing"]);
  assert.match(outcome.reasons, /does not exist/);
  await using all = await pinCluster(accessTo(server));
  assert.ok(!all.items.some(({ name }) => name === "passing"));
});

test("templates of every cluster are left out, and what allows no connections is named", async () => {
  const setUp = `CREATE DATABASE shut ALLOW_CONNECTIONS false; CREATE DATABASE own IS_TEMPLATE true`;
  for (const line of setUp.split("; ")) sql(server, "postgres", line);
  const lines: string[] = [];
  await using cluster = await pinCluster(accessTo(server), lines);
  const names = cluster.items.map(({ name }) => name);
  assert.deepEqual(names, ["globals", "bad", "good", "large", "own", "postgres"]);
  assert.deepEqual(
    lines.filter((line) => line.includes("left out")),
    [
      "database shut is left out: it allows no connections",
      "database template0 is left out: it is a template of every cluster",
      "database template1 is left out: it is a template of every cluster",
    ],
  );
  const findings = await protectPostgres(accessTo(server)).probe({ signal });
  const warnings = findings.filter(({ state }) => state === "warning");
  assert.deepEqual(
    warnings.map(({ subject }) => subject),
    ["database shut"],
  );
  const asked = accessTo(server, { databases: ["shut", "good"] });
  await using withShut = await pinCluster(asked);
  assert.deepEqual(
    withShut.missing().map(({ name }) => name),
    ["shut"],
  );
  await cluster[Symbol.asyncDispose]();
  sql(server, "postgres", "ALTER DATABASE own IS_TEMPLATE false");
  for (const name of ["own", "shut"]) sql(server, "postgres", `DROP DATABASE ${name}`);
});

async function refusedWith(options: ProtectPostgresOptions, next: RegExp): Promise<void> {
  await assert.rejects(pinCluster(options), (error) => {
    assert.ok(isComebackError(error), String(error));
    assert.match(error.next ?? "", next);
    assert.ok(!JSON.stringify([error, error.message]).includes("wrong one"), "tells the password");
    return true;
  });
  const failed = await failedFindings(options);
  assert.equal(failed.length, 1);
  assert.match(failed[0]?.next ?? "", next);
}

test("a wrong password, a server that is down, programs that are too old: told, with what to do", async () => {
  const at = (port: number, password: string): ProtectPostgresOptions =>
    accessTo(server, {
      address: async () => ({ url: `postgres://postgres@127.0.0.1:${port}/`, password }),
    });
  await refusedWith(at(server.port, "wrong one"), /check the password/);
  await refusedWith(at(1, server.password), /check that the server runs/);
  const programs = programsWith("old", { pg_dump: 'echo "pg_dump (PostgreSQL) 9.6.24"' });
  await refusedWith(
    accessTo(server, { programs }),
    new RegExp(`install the package postgresql-client-${server.version}`),
  );
  await refusedWith(accessTo(server, { programs: folder }), /install the package/);
});

test("the server may go down in the middle: what was not dumped is missing", async () => {
  await using cluster = await pinCluster(accessTo(server, { databases: ["bad", "good"] }));
  await server.kill();
  const { problems } = await backUp(client.repository, cluster);
  await server.restart();
  assert.equal(problems.length, 2);
  assert.deepEqual(
    cluster.missing().map(({ name }) => name),
    ["bad", "good"],
  );
});

test("programs run as another user, who signs in by who he is", async () => {
  const url = `postgres://postgres@/postgres?host=${server.socketFolder}&port=${server.port}`;
  const options = accessTo(server, {
    address: async () => ({ url }),
    runAs: "postgres",
    databases: ["good"],
  });
  assert.deepEqual(await failedFindings(options), []);
  assert.deepEqual((await backUpCluster(options)).files, ["globals.sql", "good.dump"]);
  await assert.rejects(pinCluster({ ...options, runAs: "no-such-user" }), (error) =>
    isComebackError(error, "configuration.invalid"),
  );
});
