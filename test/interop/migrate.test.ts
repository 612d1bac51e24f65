import assert from "node:assert/strict";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { randomTree } from "@comeback/testkit";
import { assertError } from "../drivers/assert-error.ts";
import { Client } from "../drivers/client.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_014, RESTIC_018 } from "../drivers/tools.ts";
import { initCheaply } from "./engine/open-repository.ts";

/** A repository of version 1 becomes one of version 2, also where that is cut off in between. */
const folder = memoryFolder("migrate");
const state = join(folder, "state");
const env = { XDG_STATE_HOME: state };
const UPGRADE = ["migrate", "upgrade_repo_v2"];

async function oldRepository(name: string): Promise<Client> {
  const repository = join(folder, name);
  await initCheaply(repository, 1);
  const source = join(folder, "source");
  if (!existsSync(source)) randomTree(source, 413, { entries: 60 });
  const client = new Client(COMEBACK, repository);
  await client.backup([source]);
  return client;
}

/** The copy of the config that a migration keeps while there may be none. */
function keepCopy({ repository }: Client, id: string): void {
  const place = makeFolder(state, "comeback", "config-copies", id);
  const keys = readdirSync(join(repository, "keys"));
  writeFileSync(join(place, "about.json"), JSON.stringify({ location: repository, keys }));
  copyFileSync(join(repository, "config"), join(place, "config"));
}

async function versionOf({ repository }: Client): Promise<number> {
  return (await new Client(RESTIC_018, repository).json<{ version: number }>(["cat", "config"]))
    .version;
}

test("version 1 becomes 2; restic checks it, stores compressed, and has nothing left to migrate", async () => {
  const ours = await oldRepository("plain");
  const restic = new Client(RESTIC_018, ours.repository);
  chmodSync(join(ours.repository, "config"), 0o440);
  const listed = await ours.done(["migrate"]);
  assert.equal(
    listed.stdout.toString(),
    "available migrations:\n  upgrade_repo_v2: upgrade a repository to version 2\n",
  );
  const { stdout } = await ours.done(UPGRADE, { env });
  assert.match(stdout.toString(), /a copy of the config file is in .*config until/);
  assert.match(stdout.toString(), /version 2 now/);
  assert.equal(await versionOf(ours), 2);
  assert.deepEqual(readdirSync(join(state, "comeback", "config-copies")), [], "no copy is left");
  assert.equal(statSync(join(ours.repository, "config")).mode & 0o777, 0o440);
  await restic.check();
  await new Client(RESTIC_014, ours.repository).check();
  assert.doesNotMatch((await restic.done(["migrate"])).stdout.toString(), /upgrade_repo_v2/);
  await ours.done(["prune", "--repack-uncompressed"]);
  await restic.check();
  const refused = { exitCode: 1, code: "migration.failed", says: /version 2 already/ };
  assertError(await ours.run(UPGRADE, { env }), refused);
  await ours.done([...UPGRADE, "--force"], { env });
  const migrations = await ours.json<{ migrations: unknown[] }>(["migrate"]);
  assert.deepEqual(migrations.migrations, []);
});

test("a migration that was cut off is named by every command, and goes on when it is run again", async () => {
  const ours = await oldRepository("cut");
  const config = join(ours.repository, "config");
  // While others are at work it is not even begun.
  const running = ours.start(["backup", "--stdin"], { inputStaysOpen: true });
  running.child.stdin?.write("something");
  while (readdirSync(join(ours.repository, "locks")).length === 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  assertError(await ours.run(UPGRADE, { env }), { exitCode: 11, code: "repository.locked" });
  running.child.stdin?.end();
  assert.equal((await running.finished).exitCode, 0);

  // As after a power cut: the copy is there, and the config is gone.
  keepCopy(ours, (await ours.json<{ id: string }>(["cat", "config"])).id);
  rmSync(config, { force: true });
  const lost = {
    exitCode: 10,
    code: "repository.no-config",
    says: /migrate upgrade_repo_v2` again/,
  };
  for (const command of [["snapshots"], ["check"], ["backup", folder]]) {
    assertError(await ours.run(command, { env }), lost);
  }
  assertError(await ours.run(["init"], { env }), { exitCode: 1, code: "repository.no-config" });
  // On another machine there is no copy, and nothing is made up.
  const elsewhere = { XDG_STATE_HOME: makeFolder(folder, "other state") };
  assertError(await ours.run(UPGRADE, { env: elsewhere }), {
    exitCode: 10,
    code: "repository.none",
  });
  const { stdout } = await ours.done(UPGRADE, { env });
  assert.match(stdout.toString(), /put the config file back/);
  assert.equal(await versionOf(ours), 2);
  await new Client(RESTIC_018, ours.repository).check();
});

test("a copy is never put into another repository, nor into an empty mount point", async () => {
  const ours = await oldRepository("swapped");
  keepCopy(ours, (await ours.json<{ id: string }>(["cat", "config"])).id);
  const lost = { exitCode: 10, code: "repository.no-config" };
  rmSync(ours.repository, { recursive: true });
  assertError(await ours.run(UPGRADE, { env }), lost);
  makeFolder(ours.repository);
  assertError(await ours.run(UPGRADE, { env }), lost);
  assert.deepEqual(readdirSync(ours.repository), []);
  await initCheaply(ours.repository, 1);
  rmSync(join(ours.repository, "config"), { force: true });
  assertError(await ours.run(UPGRADE, { env }), lost);
  assert.ok(!existsSync(join(ours.repository, "config")));
});

test("what is damaged is not migrated", async () => {
  const ours = await oldRepository("damaged");
  const packs = readdirSync(join(ours.repository, "data"), {
    recursive: true,
    withFileTypes: true,
  });
  const pack = packs.find((entry) => entry.isFile());
  assert.ok(pack !== undefined);
  rmSync(join(pack.parentPath, pack.name), { force: true });
  const { exitCode, stderr } = await ours.run(UPGRADE, { env });
  assert.equal(exitCode, 1);
  assert.match(stderr, /pack \w+ is missing[^]*is not migrated \[check.failed\]/);
  assert.equal(await versionOf(ours), 1);
  assertError(await ours.run(["migrate", "s3_layout"], { env }), {
    exitCode: 1,
    code: "option.invalid",
  });
  assertError(await ours.run([...UPGRADE, "--no-lock"], { env }), {
    exitCode: 1,
    code: "option.invalid",
  });
});
