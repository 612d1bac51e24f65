import assert from "node:assert/strict";
import { cpSync, existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, beforeEach, test } from "node:test";
import { SeededRandom } from "@comeback/testkit";
import { assertError } from "../drivers/assert-error.ts";
import { Client } from "../drivers/client.ts";
import { Corpus } from "../drivers/corpus.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { filesOf, inventory, storedFiles, type FileKind } from "../drivers/repository-files.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { openFolder } from "../drivers/small-history.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";

/** A repository in two places: all of it in the cold one, what is read often in the hot one too. */
const folder = memoryFolder("tiers");
const source = makeFolder(folder, "source");
const [cold, hot] = [join(folder, "cold"), join(folder, "hot")];
const client = new Client(COMEBACK, cold);
const restic = new Client(RESTIC_018, cold);
const pair = ["--repo-hot", hot];
let corpus: Corpus;

before(async () => {
  corpus = new Corpus(source, new SeededRandom(83), { small: 60, large: 2 });
  // A quick one: every command derives a key. How a pair is made anew is a test of its own.
  await makeQuickRepository(cold);
  await client.done(["repair", "hot", ...pair]);
  cpSync(cold, join(folder, "new-cold"), { recursive: true });
  cpSync(hot, join(folder, "new-hot"), { recursive: true });
});

beforeEach(() => {
  for (const place of [cold, hot]) rmSync(place, { recursive: true, force: true });
  cpSync(join(folder, "new-cold"), cold, { recursive: true });
  cpSync(join(folder, "new-hot"), hot, { recursive: true });
});

/** The packs that the index says hold trees. */
async function treePacks(): Promise<string[]> {
  await using repository = await openFolder(cold);
  const { table, packIds } = await repository.loadIndex({ includeMarked: true });
  const packs = new Set<string>();
  for (let entry = 0; entry < table.count; entry++) {
    if (table.typeOf(entry) === "tree") packs.add(packIds[table.packOf(entry)] ?? "");
  }
  return [...packs].map((pack) => join("data", pack.slice(0, 2), pack)).toSorted();
}

async function assertPaired(): Promise<void> {
  for (const kind of ["keys", "snapshots", "index"] satisfies FileKind[]) {
    const here = storedFiles(hot, kind);
    assert.ok(here.length > 0, `there are ${kind}`);
    assert.deepEqual(here, storedFiles(cold, kind));
  }
  const [hotPacks, coldPacks] = [storedFiles(hot, "data"), storedFiles(cold, "data")];
  assert.deepEqual(hotPacks, await treePacks());
  assert.ok(hotPacks.length < coldPacks.length, "data packs are in the cold part alone");
  for (const place of [hot, cold]) assert.deepEqual(filesOf(place, "locks"), []);
}

async function assertRestores(...args: string[]): Promise<void> {
  const target = join(folder, "restored");
  await client.restore(`latest:${source}`, target, args);
  assertSameTree(source, target, { tops: false });
  rmSync(target, { recursive: true });
}

test("backup, check, forget, prune and restore; restic reads the cold part alone", async () => {
  await client.backup([source], { args: pair });
  await assertPaired();
  corpus.change(30);
  await client.backup([source], { env: { RUSTIC_REPO_HOT: hot } });
  await client.done(["check", "--read-data", ...pair]);
  await client.done(["forget", "--keep-last", "1", "--prune", "--max-unused", "0", ...pair]);
  // The second one deletes what the first one has marked.
  await client.done(["prune", ...pair], { env: { COMEBACK_REPO_HOT: join(folder, "no") } });
  await assertPaired();
  await client.done(["check", "--read-data"], { env: { COMEBACK_REPO_HOT: hot } });
  await assertRestores(...pair);
  await restic.done(["check", "--read-data"]);
  const target = join(folder, "by-restic");
  await restic.restore(`latest:${source}`, target);
  assertSameTree(source, target, { tops: false });
  // What restic adds is in the cold part alone: it is found, and made up for.
  await restic.backup([source], { args: ["--tag", "by restic"] });
  await client.done(["check", "--read-data", ...pair]);
  await assertRestores(...pair);
  await client.done(["repair", "hot", ...pair]);
  await assertPaired();
  await client.done(["key", "list", ...pair]);
});

test("reading trees, index and snapshots touches nothing of the cold part's packs", async () => {
  await client.backup([source], { args: pair });
  const packs = storedFiles(cold, "data");
  for (const pack of packs) writeFileSync(join(cold, pack), "thawed tomorrow");
  const { stdout } = await client.done(["ls", "latest", ...pair]);
  assert.match(stdout.toString("utf8"), /source/);
  const alone = await client.run(["ls", "latest"]);
  assert.equal(alone.exitCode, 1, alone.describe());
});

test("what is no pair is refused, and nothing is written", async () => {
  const [other, otherHot] = [join(folder, "other"), join(folder, "other-hot")];
  await makeQuickRepository(other);
  await new Client(COMEBACK, other).done(["repair", "hot", "--repo-hot", otherHot]);
  const places = [cold, hot, other, otherHot];
  const untouched = places.map(inventory);
  const refused = async (repository: string, args: string[], says: RegExp): Promise<void> => {
    const finished = await new Client(COMEBACK, repository).run(["snapshots", ...args]);
    assertError(finished, { exitCode: 1, code: "repository.hot-part", says });
  };
  await refused(hot, [], /is the hot part of a repository.*--repo-hot/);
  await refused(hot, ["--repo-hot", cold], /is the hot part of a repository/);
  await refused(cold, ["--repo-hot", otherHot], /another repository has its place/);
  await refused(cold, ["--repo-hot", other], /another repository has its place/);
  await refused(cold, ["--repo-hot", `${cold}/`], /there is a whole repository at/);
  const same = await client.run(["snapshots", "--repo-hot", cold]);
  assertError(same, { exitCode: 1, code: "option.invalid", says: /is the repository itself/ });
  for (const place of [other, otherHot, cold]) {
    const finished = await client.run(["repair", "hot", "--repo-hot", place]);
    assertError(finished, { exitCode: 1, code: "repository.hot-part" });
  }
  const again = await client.run(["init", "--repo-hot", join(folder, "new")]);
  assertError(again, { exitCode: 1, code: "repository.exists" });
  const onto = new Client(COMEBACK, join(folder, "fresh"));
  assertError(await onto.run(["init", ...pair]), { exitCode: 1, code: "repository.exists" });
  assert.deepEqual(places.map(inventory), untouched);
});

test("a lost hot part is named as such, and made anew", async () => {
  await client.backup([source], { args: pair });
  const hotFiles = [...inventory(hot).keys()].filter((path) => !path.endsWith("config"));
  renameSync(hot, join(folder, "lost"));
  for (const args of [["snapshots"], ["backup", source]]) {
    const finished = await client.run([...args, ...pair]);
    assertError(finished, {
      exitCode: 10,
      code: "repository.hot-part",
      says: /there is no hot part at .*repair hot/,
    });
  }
  // Nothing that the cold part alone does not have, too.
  await client.check();
  const dry = await client.done(["repair", "hot", "--dry-run", ...pair]);
  assert.match(dry.stdout.toString("utf8"), /all of it would be made/);
  assert.equal(existsSync(hot), false);
  await client.done(["repair", "hot", ...pair]);
  assert.deepEqual(
    [...inventory(hot).keys()].filter((path) => !path.endsWith("config")),
    hotFiles,
  );
  await assertPaired();
  await assertRestores(...pair);
  const nothing = await client.json<{ files_to_copy: number }>(["repair", "hot", ...pair]);
  assert.equal(nothing.files_to_copy, 0);
  rmSync(join(folder, "lost"), { recursive: true });
});

test("a damaged hot part: a torn file is replaced, another's files are not touched", async () => {
  await client.backup([source], { args: pair });
  const [torn = ""] = storedFiles(hot, "index");
  const stale = join("snapshots", "ab".repeat(32));
  writeFileSync(join(hot, torn), "torn");
  writeFileSync(join(hot, stale), "of a snapshot that is gone");
  await assertRestores(...pair);
  await client.done(["repair", "hot", ...pair]);
  await assertPaired();
  writeFileSync(join(hot, stale), "the only copy of it, for all we know");
  rmSync(join(hot, "config"));
  const untouched = inventory(hot);
  const finished = await client.run(["repair", "hot", ...pair]);
  assertError(finished, {
    exitCode: 1,
    code: "repository.no-config",
    says: /holds something else/,
  });
  assert.deepEqual(inventory(hot), untouched);
  const missing = await client.run(["repair", "hot"]);
  assertError(missing, { exitCode: 1, code: "option.invalid", says: /--repo-hot/ });
});

test("keys are changed in both, and so is the version", async () => {
  const [oldCold, oldHot] = [join(folder, "old"), join(folder, "old-hot")];
  const old = new Client(COMEBACK, oldCold);
  const args = ["--repo-hot", oldHot];
  await old.done(["init", "--repository-version", "1", ...args]);
  assert.deepEqual(storedFiles(oldHot, "keys"), storedFiles(oldCold, "keys"));
  assert.deepEqual(filesOf(oldHot, "config"), ["config"]);
  await old.backup([source], { args });
  const file = join(folder, "password");
  writeFileSync(file, "another one");
  await old.done(["key", "add", "--new-password-file", file, ...args]);
  assert.equal(storedFiles(oldCold, "keys").length, 2);
  assert.deepEqual(storedFiles(oldHot, "keys"), storedFiles(oldCold, "keys"));
  const version1 = join(folder, "config-of-version-1");
  cpSync(join(oldHot, "config"), version1);
  await old.done(["migrate", "upgrade_repo_v2", ...args]);
  await old.done(["check", "--read-data", ...args]);
  // As a crash after the new config of the cold part would leave it.
  rmSync(join(oldHot, "config"));
  cpSync(version1, join(oldHot, "config"));
  const finished = await old.run(["snapshots", ...args]);
  assertError(finished, { exitCode: 1, code: "repository.hot-part", says: /repair hot/ });
  await old.done(["repair", "hot", ...args]);
  await old.done(["check", "--read-data", ...args]);
  await new Client(RESTIC_018, oldCold).done(["check", "--read-data"]);
});
