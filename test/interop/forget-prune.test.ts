import assert from "node:assert/strict";
import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, beforeEach, test } from "node:test";
import { SeededRandom } from "@comeback/testkit";
import { Client } from "../drivers/client.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { inventory, repositoryBytes, storedFiles } from "../drivers/repository-files.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";

/** `forget --prune`: what only the forgotten snapshots needed goes, and nothing else. */
const folder = memoryFolder("forget-prune");
const source = makeFolder(folder, "source");
const random = new SeededRandom(20_265);
let number = 0;
let comeback: Client;
let restic: Client;

const template = join(folder, "template");

before(async () => {
  await makeQuickRepository(template);
  for (const name of ["a", "b", "c"]) {
    rmSync(source, { recursive: true });
    writeFileSync(join(makeFolder(source), name), random.bytes(700_000));
    await new Client(COMEBACK, template).backup([source]);
  }
});

beforeEach(() => {
  const repository = join(folder, `repository-${++number}`);
  cpSync(template, repository, { recursive: true });
  comeback = new Client(COMEBACK, repository);
  restic = new Client(RESTIC_018, repository);
});

async function assertWhole(): Promise<void> {
  await comeback.check();
  await restic.check();
  const target = makeFolder(folder, `target-${number}`);
  await comeback.restore(`latest:${source}`, target);
  assertSameTree(source, target, { tops: false });
}

const FORGET = ["forget", "--keep-last", "1", "--prune"];

test("a dry run shows what the prune would free, and changes nothing", async () => {
  const { repository } = comeback;
  const before = [...inventory(repository)].filter(([path]) => !path.includes("/locks"));
  const { stdout } = await comeback.done([...FORGET, "--instant", "--dry-run"]);
  const after = [...inventory(repository)].filter(([path]) => !path.includes("/locks"));
  assert.deepEqual(after, before);
  const text = stdout.toString("utf8");
  assert.match(text, /^remove 2 snapshots:$/m);
  assert.match(text, /^would remove 2 snapshots$/m);
  // Two of the three files of 700,000 bytes, and their folders.
  assert.match(text, /^not in use +\S+ +1\.3\d MiB$/m);
});

test("with --instant it is freed at once", async () => {
  await comeback.done([...FORGET, "--instant"]);
  assert.equal((await restic.snapshots()).length, 1);
  assert.ok(repositoryBytes(comeback.repository) < 800_000);
  await assertWhole();
});

test("without, it is marked, and freed by a later prune", async () => {
  const { stdout } = await comeback.done(FORGET);
  assert.doesNotMatch(stdout.toString("utf8"), /`comeback prune`/);
  const packs = storedFiles(comeback.repository, "data").length;
  await assertWhole();
  await comeback.done(["prune", "--keep-delete", "0"]);
  assert.ok(storedFiles(comeback.repository, "data").length < packs);
  assert.ok(repositoryBytes(comeback.repository) < 800_000);
  await assertWhole();
});

test("where nothing is removed, nothing is pruned", async () => {
  const { stdout } = await comeback.done(["forget", "--keep-last", "9", "--prune"]);
  assert.match(stdout.toString("utf8"), /removed no snapshot\n$/);
  assert.equal((await comeback.snapshots()).length, 3);
});
