import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { before, test, type TestContext } from "node:test";
import { listSnapshots } from "@comeback/engine";
import { SeededRandom } from "@comeback/testkit";
import { Client } from "../drivers/client.ts";
import { assertResticHolds, problemsIn, readSnapshots } from "../drivers/judge.ts";
import { killAtMoments } from "../drivers/kill-moments.ts";
import { writeSnapshots } from "../drivers/many-snapshots.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { type MadeSnapshot, openFolder, writeHistory } from "../drivers/small-history.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK } from "../drivers/tools.ts";

/** Commands that remove snapshots are killed: what was to stay is there, and the rest is whole. */
const SEED = Number(process.env["COMEBACK_TEST_SEED"] ?? 20_264);
const KILLS = 50;
const TAG_KILLS = 15;
/** Many more than a command removes at once. */
const SNAPSHOTS = 60;
const START_MS = Date.UTC(2026, 0, 1);

const random = new SeededRandom(SEED);
const folder = memoryFolder("kill-forget");
const template = join(folder, "template");
const pristine = join(template, "repository");
const source = join(folder, "source");
const work = join(folder, "work");
const repository = join(work, "repository");
let made: MadeSnapshot;
let ids: ReadonlySet<string>;

function storedIds(of: string): Set<string> {
  const names = readdirSync(join(of, "snapshots"));
  return new Set(names.filter((name) => /^[0-9a-f]{64}$/.test(name)));
}

/** One snapshot with files, and many of the same tree, each a quarter of an hour apart. */
before(async () => {
  await makeQuickRepository(makeFolder(pristine));
  const copies = makeFolder(folder, "copies");
  const history = { repository: pristine, source, copies, random, snapshots: 1 };
  made = (await writeHistory(history))[0]!;
  await using opened = await openFolder(pristine);
  const [first] = await listSnapshots(opened);
  const { tree, paths, hostname = "" } = first!;
  const files = Array.from({ length: SNAPSHOTS - 1 }, (_, i) => ({
    tree,
    paths,
    hostname,
    time: new Date(START_MS - i * 900_000).toISOString(),
  }));
  await writeSnapshots(pristine, files);
  ids = storedIds(pristine);
});

/** What is left is whole, and its newest snapshot comes back. */
async function prove(asksRestic: boolean): Promise<void> {
  assert.deepEqual(await problemsIn(repository), []);
  if (!asksRestic) return;
  const target = join(folder, "restored");
  await assertResticHolds(repository, { ...made, id: "latest", source, target });
}

test(`${KILLS} kills of forget: nothing but the plan is gone, seed ${SEED}`, async (t: TestContext) => {
  const args = ["forget", "--keep-last", "20", "--keep-daily", "9"];
  const groups = await new Client(COMEBACK, pristine).json<
    { readonly keep: readonly { readonly id: string }[] }[]
  >([...args, "--dry-run"]);
  const keep = new Set(groups.flatMap((group) => group.keep.map(({ id }) => id)));
  assert.ok(keep.size > 0 && keep.size < SNAPSHOTS / 2);
  const counts = await killAtMoments({
    template,
    work,
    random,
    args: [...args, "-q"],
    kills: KILLS,
    async afterKill(progress, asksRestic) {
      const left = storedIds(repository);
      assert.deepEqual(keep.difference(left), new Set());
      assert.deepEqual(left.difference(ids), new Set());
      if (progress === "before") assert.deepEqual(left, ids);
      if (progress === "after") assert.deepEqual(left, keep);
      await prove(asksRestic);
    },
    async afterNext(asksRestic) {
      assert.deepEqual(storedIds(repository), keep);
      await prove(asksRestic);
    },
  });
  t.diagnostic(JSON.stringify(counts));
});

test(`${TAG_KILLS} kills of tag: no snapshot is lost, seed ${SEED}`, async (t: TestContext) => {
  /** What the snapshots were first, whatever their ids are by now. */
  const firstIds = async (): Promise<Set<string>> =>
    new Set((await readSnapshots(repository)).keys());
  const counts = await killAtMoments({
    template,
    work,
    random,
    args: ["tag", "--add", "new", "-q"],
    kills: TAG_KILLS,
    async afterKill(progress, asksRestic) {
      assert.deepEqual(await firstIds(), ids);
      if (progress === "before") assert.deepEqual(storedIds(repository), ids);
      await prove(asksRestic);
    },
    async afterNext(asksRestic) {
      assert.deepEqual(await firstIds(), ids);
      await using opened = await openFolder(repository);
      const snapshots = await listSnapshots(opened);
      assert.ok(snapshots.every(({ tags }) => tags?.includes("new")));
      await prove(asksRestic);
    },
  });
  t.diagnostic(JSON.stringify(counts));
});
