import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { s3BackendFactory } from "@comeback/backend-s3";
import { randomTree, SeededRandom } from "@comeback/testkit";
import { startPlace } from "../backends/sftp/sftp-fixture.ts";
import { Client } from "../drivers/client.ts";
import { Corpus } from "../drivers/corpus.ts";
import { Guide } from "../drivers/guide.ts";
import { PlanProgram } from "../drivers/plan-program.ts";
import { makeQuickRepository, makeQuickRepositoryIn } from "../drivers/quick-repository.ts";
import { startProgram } from "../drivers/run-program.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";
import { checksums, schemaOf, sql } from "../postgres/clusters.ts";
import { environmentOf, S3Client } from "../s3/s3-clients.ts";
import { startCeph } from "../services/ceph-rgw/start-ceph.ts";
import { startPostgres } from "../services/postgres/start-postgres.ts";

/** docs/guides/postgres-and-folders.md, with a real sshd and a real object store. */
const PLACES = ["local", "disk", "far", "cloud"];
const folder = scratchFolder("four-places");
const [server, ssh, ceph] = await Promise.all([
  startPostgres(),
  startPlace("four-places-ssh"),
  startCeph(),
]);
after(() => ceph[Symbol.asyncDispose]());

const repositories = {
  local: join(folder, "local"),
  disk: join(folder, "disk", "comeback"),
  far: join(makeFolder(ssh.folder, "far"), "shop"),
  cloud: `s3:${ceph.endpoint}/cloud/shop`,
};
const folders = { shop: join(folder, "srv"), functions: join(folder, "functions") };
const secrets = {
  "/etc/comeback/aws-id": ceph.user.accessKey,
  "/etc/comeback/aws-secret": ceph.user.secretKey,
  "/etc/comeback/cloud-key": "another password",
  "/etc/comeback/postgres-password": "of backup",
};

function secretFiles(): Record<string, string> {
  const written = Object.entries(secrets).map(([there, secret], index) => {
    const path = join(folder, `secret-${index}`);
    writeFileSync(path, `${secret}\n`, { mode: 0o600 });
    return [there, path] as const;
  });
  return Object.fromEntries(written);
}

const program = new PlanProgram({
  guide: new Guide("postgres-and-folders"),
  folder,
  env: ssh.user.environment,
  places: {
    ...secretFiles(),
    "/var/backup/comeback": repositories.local,
    "/mnt/disk/comeback": repositories.disk,
    "backup@backup.example.com:/srv/backup/shop": `backup:${repositories.far}`,
    "s3:https://s3.eu-central-1.amazonaws.com/example-backup/shop": repositories.cloud,
    "postgres://backup@127.0.0.1:5432": `postgres://backup@127.0.0.1:${server.port}`,
    "/srv/shop": folders.shop,
    // Nobody waits a minute and a half here for a server that is down.
    "{ from: local, to: far }": "{ from: local, to: far, retries: { count: 0 } }",
    "/var/lib/functions": folders.functions,
  },
});

const SHOP = `
CREATE TABLE orders (id int PRIMARY KEY, what text NOT NULL, at timestamptz DEFAULT now());
INSERT INTO orders SELECT n, repeat('order ' || n, n % 40) FROM generate_series(1, 4000) n;
`;
const FUNCTIONS = `
CREATE ROLE worker LOGIN PASSWORD 'hidden';
CREATE SCHEMA jobs AUTHORIZATION worker;
CREATE TABLE jobs.queue (id serial PRIMARY KEY, body jsonb, ü text DEFAULT 'ß');
ALTER TABLE jobs.queue OWNER TO worker;
INSERT INTO jobs.queue (body) SELECT jsonb_build_object('n', n) FROM generate_series(1, 2000) n;
CREATE FUNCTION jobs.count() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM jobs.queue';
`;

function fill(): void {
  sql(server, "postgres", "CREATE ROLE backup LOGIN PASSWORD 'of backup' IN ROLE pg_read_all_data");
  for (const name of ["shop", "functions"]) sql(server, "postgres", `CREATE DATABASE ${name}`);
  sql(server, "shop", SHOP);
  sql(server, "functions", FUNCTIONS);
  randomTree(folders.shop, 521, { entries: 150, largeFiles: true });
}

function contents(): Record<string, string> {
  return {
    shop: checksums(server, "shop"),
    functions: checksums(server, "functions"),
    schema: schemaOf(server, "functions"),
  };
}

async function bringBack(place: string, path: string, into: string): Promise<void> {
  const script = `"$COMEBACK" -r ${place} dump latest --tag source:databases ${path} | ${into}`;
  const finished = await startProgram("bash", ["-o", "pipefail", "-c", script], {
    env: {
      ...program.on(place).environment,
      COMEBACK: COMEBACK.command,
      COMEBACK_CONFIG: program.configurationPath,
      PATH: `${server.programFolder}:${ssh.user.path}`,
      PGHOST: "127.0.0.1",
      PGPORT: String(server.port),
      PGUSER: server.user,
      PGPASSWORD: server.password,
    },
  }).finished;
  assert.equal(finished.exitCode, 0, finished.describe());
}

fill();
const corpus = new Corpus(folders.functions, new SeededRandom(522), { small: 40, large: 1 });
await makeQuickRepository(repositories.local);
const env = { ...process.env, ...environmentOf(ceph.user) };
await makeQuickRepositoryIn(
  await s3BackendFactory.create(repositories.cloud, { env }),
  secrets["/etc/comeback/cloud-key"],
);

test("two databases and two folders come back from each of four places", async () => {
  await program.check();
  assert.equal((await program.run("shop")).outcome, "ok");
  corpus.change(40);
  sql(
    server,
    "shop",
    "DELETE FROM orders WHERE id % 7 = 0; UPDATE orders SET what = 'x' WHERE id < 9",
  );
  const before = contents();
  const run = await program.run("shop");
  assert.equal(run.outcome, "ok", run.finished.describe());

  for (const place of PLACES) {
    const target = join(folder, `from-${place}`);
    await program.on(place).restore("latest", target, ["--tag", "source:folders"]);
    for (const path of Object.values(folders)) assertSameTree(path, join(target, path));
    rmSync(target, { recursive: true });
    const drop = "DROP DATABASE shop; DROP DATABASE functions; DROP ROLE worker";
    for (const one of drop.split("; ")) sql(server, "postgres", one);
    const psql = "grep -v '^ALTER ROLE postgres WITH' | psql -X -q --dbname=postgres";
    await bringBack(place, "/postgres/main/globals.sql", psql);
    const restore = "pg_restore --exit-on-error --create --dbname=postgres";
    for (const name of ["shop", "functions"]) {
      await bringBack(place, `/postgres/main/${name}.dump`, restore);
    }
    assert.deepEqual(contents(), before, place);
  }
});

test("restic finds each of them whole", async () => {
  const clients = [
    new Client(RESTIC_018, repositories.local),
    new Client(RESTIC_018, repositories.disk),
    new Client(RESTIC_018, repositories.far),
    new S3Client(RESTIC_018, repositories.cloud, {
      ...environmentOf(ceph.user),
      RESTIC_PASSWORD: "another password",
    }),
  ];
  for (const client of clients) {
    await client.check();
    const tags = (await client.snapshots()).map(({ tags: [, source = ""] = [] }) => source);
    assert.ok(tags.includes("source:databases") && tags.includes("source:folders"));
  }
});

test("a place that cannot be reached fails the run, and costs no other its copy", async () => {
  await ssh.server.stop();
  corpus.change(30);
  const failed = await program.run("shop", { exitCode: 1 });
  const copies = failed.stages.filter(({ stage }) => stage === "copy");
  assert.deepEqual(
    copies.map(({ subject, outcome }) => `${subject} ${outcome}`),
    ["local → disk ok", "local → far failed", "local → cloud ok"],
  );
  await ssh.server.restart();
  const run = await program.run("shop");
  assert.equal(run.outcome, "ok", run.finished.describe());
  const target = join(folder, "made-up");
  await program.on("far").restore("latest", target, ["--tag", "source:folders"]);
  assertSameTree(folders.functions, join(target, folders.functions));
});
