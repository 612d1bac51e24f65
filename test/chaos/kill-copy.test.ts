import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test, type TestContext } from "node:test";
import { SeededRandom } from "@comeback/testkit";
import { PASSWORD } from "../drivers/client.ts";
import { assertHolds, assertResticHolds, problemsIn, readSnapshots } from "../drivers/judge.ts";
import { killAtMoments } from "../drivers/kill-moments.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { inventory, storedFiles } from "../drivers/repository-files.ts";
import { type MadeSnapshot, writeHistory } from "../drivers/small-history.ts";
import { memoryFolder, makeFolder } from "../drivers/scratch.ts";

/** kill -9 of copies: the target has whole snapshots only, the next copy completes it. */
const SEED = Number(process.env["COMEBACK_TEST_SEED"] ?? 20_262);
const KILLS = 50;

const random = new SeededRandom(SEED);
const folder = memoryFolder("kill-copy");
const template = join(folder, "template");
const files = join(folder, "files");
const work = join(folder, "work");
const repository = join(work, "repository");
const from = join(work, "from");
let made: readonly MadeSnapshot[] = [];
let expected: Awaited<ReturnType<typeof readSnapshots>>;

before(async () => {
  const source = makeFolder(template, "from");
  await makeQuickRepository(source);
  const copies = makeFolder(folder, "copies");
  made = await writeHistory({ repository: source, source: files, copies, random, snapshots: 4 });
  expected = await readSnapshots(source);
  // Of a repository that has other data.
  await makeQuickRepository(makeFolder(template, "repository"));
});

test(`${KILLS} kills of a copy, seed ${SEED}`, async (t: TestContext) => {
  const sourceBefore = inventory(join(template, "from"));
  let snapshotsSeen = 0;
  const counts = await killAtMoments({
    template,
    work,
    args: ["copy", "-q", "--from-repo", from],
    env: { RESTIC_FROM_PASSWORD: PASSWORD },
    random,
    kills: KILLS,
    async afterKill(_progress, asksRestic) {
      // What is there is whole, and one of those that are copied.
      assert.deepEqual(await problemsIn(repository), []);
      for (const [id, saved] of await readSnapshots(repository)) {
        assert.deepEqual(saved, expected.get(id));
        snapshotsSeen++;
      }
      assert.deepEqual(storedFiles(from, "snapshots"), storedFiles(join(template, "from"), "snapshots"));
      if (asksRestic) await assertResticHolds(repository);
    },
    async afterNext(asksRestic) {
      await assertHolds(repository, expected);
      if (!asksRestic) return;
      const { copy } = random.pick(made);
      const snapshot = { id: "latest", copy: made.at(-1)?.copy ?? copy };
      await assertResticHolds(repository, { ...snapshot, source: files, target: join(folder, "restored") });
    },
  });
  t.diagnostic(JSON.stringify(counts));
  assert.ok(snapshotsSeen > 0, "no kill came between two snapshots");
  // Whatever was done to its copies, the source is as it was.
  assert.deepEqual(inventory(join(template, "from")), sourceBefore);
});
