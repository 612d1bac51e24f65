import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Client } from "../drivers/client.ts";
import { Guide, writeAdapted } from "../drivers/guide.ts";
import { PlanProgram } from "../drivers/plan-program.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { startProgram } from "../drivers/run-program.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, scratchFolder } from "../drivers/scratch.ts";
import { ShopStandIn } from "../drivers/shop-stand-in.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";
import { checksums, sql } from "../postgres/clusters.ts";
import { startPostgres } from "../services/postgres/start-postgres.ts";

/** docs/guides/service-with-database.md, with a service that writes all the time. */
const folder = scratchFolder("service");
const guide = new Guide("service-with-database");
const srv = makeFolder(folder, "srv");
const content = makeFolder(srv, "shop");
const repository = join(folder, "repository");
const logPath = join(folder, "events");
const server = await startPostgres();

const atRest = { orders: 0, checksums: "", copy: join(folder, "at-rest") };

async function startShop(): Promise<ShopStandIn> {
  sql(server, "postgres", "CREATE DATABASE shop");
  sql(server, "postgres", "CREATE ROLE backup LOGIN PASSWORD 'of backup' IN ROLE pg_read_all_data");
  return ShopStandIn.start({
    folder: content,
    databaseUrl: server.urlOf("shop"),
    logPath,
    onRest(orders) {
      atRest.orders = orders;
      atRest.checksums = checksums(server, "shop");
      execFileSync("rm", ["-rf", atRest.copy]);
      execFileSync("cp", ["-a", content, atRest.copy]);
    },
  });
}

/** The guide's scripts, which also say when they are done. */
function installScripts(): { create: string; remove: string } {
  const places = { "/srv/.frozen": join(srv, ".frozen") };
  const install = (name: string, event: string, more: Record<string, string> = {}): string => {
    const path = join(folder, "sbin", name);
    writeAdapted(path, guide.file(`/usr/local/sbin/${name}`), { ...places, ...more });
    const told = `#!/bin/sh\n'${path}' && echo ${event} >> '${logPath}'\n`;
    writeAdapted(`${path}-told`, told, {});
    return `${path}-told`;
  };
  return {
    create: install("comeback-freeze", "frozen", { "/srv/shop": content }),
    remove: install("comeback-thaw", "thawed"),
  };
}

function piped(script: string): ReturnType<typeof startProgram>["finished"] {
  return startProgram("bash", ["-o", "pipefail", "-c", script], {
    env: {
      ...new Client(COMEBACK, "").environment,
      COMEBACK: COMEBACK.command,
      COMEBACK_CONFIG: program.configurationPath,
      PATH: `${server.programFolder}:${process.env["PATH"]}`,
      PGHOST: "127.0.0.1",
      PGPORT: String(server.port),
      PGUSER: server.user,
      PGPASSWORD: server.password,
    },
  }).finished;
}

const shop = await startShop();
const scripts = installScripts();
const passwordPath = join(folder, "postgres-password");
writeFileSync(passwordPath, "of backup\n", { mode: 0o600 });
const program = new PlanProgram({
  guide,
  folder,
  places: {
    "/mnt/nas/shop": repository,
    "/usr/local/sbin/comeback-freeze": scripts.create,
    "/usr/local/sbin/comeback-thaw": scripts.remove,
    "http://127.0.0.1:8080": shop.url,
    "/srv/shop": content,
    "postgres://backup@127.0.0.1:5432": `postgres://backup@127.0.0.1:${server.port}`,
    "/etc/comeback/postgres-password": passwordPath,
  },
});
await makeQuickRepository(repository);

test("a snapshot that fails half way costs its source alone; the service is back, and no copy left", async () => {
  await program.check();
  await shop.waitForOrders(20);
  writeFileSync(logPath, "");
  const whole = readFileSync(scripts.create, "utf8");
  writeFileSync(scripts.create, `${whole}echo there is no space left >&2; exit 1\n`);
  const run = await program.run("shop", { exitCode: 1 });
  writeFileSync(scripts.create, whole);
  assert.match(run.source("content").failure ?? "", /there is no space left/);
  assert.equal(run.source("database").outcome, "ok");
  const events = readFileSync(logPath, "utf8").trim().split("\n");
  // Removed at once, and again as the journal says: that does no harm.
  assert.deepEqual(events.slice(0, 3), ["at rest", "frozen", "thawed"]);
  assert.equal(events.at(-1), "at work");
  assert.deepEqual(readdirSync(join(srv, ".frozen")), []);
  assert.deepEqual(
    (await program.on("nas").snapshots()).map(({ tags = [] }) => tags[1] ?? "").toSorted(),
    ["source:comeback-kit", "source:database"],
  );
});

test("files and database come back as they were at one moment, and the service rested only for it", async () => {
  await shop.waitForOrders(200);
  writeFileSync(logPath, "");
  const run = await program.run("shop");
  assert.equal(run.outcome, "ok", run.finished.describe());
  await shop.waitForOrders(1);

  const events = readFileSync(logPath, "utf8").trim().split("\n");
  assert.deepEqual(events, ["at rest", "frozen", "at work", "thawed"]);
  assert.deepEqual(
    run.stages
      .filter(({ stage }) => stage !== "preflight")
      .map(({ stage, subject = "" }) => `${stage} ${subject}`.trim()),
    [
      "quiesce",
      "snapshot frozen",
      "snapshot database",
      "resume",
      "capture content",
      "capture database",
      "release frozen",
      "capture comeback-kit",
      "verify nas",
      "retain nas",
      "report",
    ],
  );
  assert.deepEqual(readdirSync(join(srv, ".frozen")), []);

  await shop[Symbol.asyncDispose]();
  assert.ok(shop.orders > atRest.orders, "it went on after the moment");
  assert.notEqual(checksums(server, "shop"), atRest.checksums);
  sql(server, "postgres", "DROP DATABASE shop");
  const target = join(folder, "restored");
  await program.on("nas").restore("latest", target, ["--tag", "source:content"]);
  assertSameTree(atRest.copy, join(target, content));
  const globals = await piped(
    `"$COMEBACK" -r nas dump latest --tag source:database /postgres/main/globals.sql |
       grep -v '^ALTER ROLE postgres WITH' | psql -X -q --dbname=postgres`,
  );
  assert.equal(globals.exitCode, 0, globals.describe());
  const restored = await piped(
    `"$COMEBACK" -r nas dump latest --tag source:database /postgres/main/shop.dump |
       pg_restore --exit-on-error --create --dbname=postgres`,
  );
  assert.equal(restored.exitCode, 0, restored.describe());
  assert.equal(checksums(server, "shop"), atRest.checksums);
  assert.equal(sql(server, "shop", "SELECT count(*) FROM orders"), String(atRest.orders));
  const ledger = readFileSync(join(target, content, "ledger"), "utf8")
    .trim()
    .split("\n");
  assert.equal(ledger.length, atRest.orders);
  await new Client(RESTIC_018, repository).check();
});
