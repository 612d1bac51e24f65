import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test, type TestContext } from "node:test";
import { copy, listSnapshots, RepositoryLock } from "@comeback/engine";
import { runTasksInThisThread } from "@comeback/engine/internal";
import { systemClock, systemRandom } from "@comeback/platform";
import { SeededRandom } from "@comeback/testkit";
import { PASSWORD } from "../drivers/client.ts";
import { assertHolds, assertResticHolds, problemsIn, readSnapshots } from "../drivers/judge.ts";
import { killAtMoments } from "../drivers/kill-moments.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { filesOf, inventory } from "../drivers/repository-files.ts";
import { type MadeSnapshot, openFolder, writeHistory } from "../drivers/small-history.ts";
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
let last: MadeSnapshot;
let expected: Awaited<ReturnType<typeof readSnapshots>>;

before(async () => {
  const source = makeFolder(template, "from");
  await makeQuickRepository(source);
  const copies = makeFolder(folder, "copies");
  const history = { repository: source, source: files, copies, random };
  last = (await writeHistory({ ...history, snapshots: 4 })).at(-1)!;
  expected = await readSnapshots(source);
  // Of a repository that has other data.
  await makeQuickRepository(makeFolder(template, "repository"));
});

/** What a repository has, without the locks of the dead. */
function filesButLocks(repositoryFolder: string): string[] {
  const kinds = ["config", "keys", "snapshots", "index", "data"] as const;
  return kinds.flatMap((kind) => filesOf(repositoryFolder, kind));
}

/** The same as the program does, in this process. */
async function copyAgain(): Promise<void> {
  using _ = runTasksInThisThread(systemRandom);
  await using source = await openFolder(from);
  await using target = await openFolder(repository);
  const wish = { exclusive: false, clock: systemClock };
  await using _sourceLock = await RepositoryLock.acquire(source, wish);
  await using targetLock = await RepositoryLock.acquire(target, wish);
  await source.loadIndex({ includeMarked: true });
  await target.loadIndex();
  const snapshots = await listSnapshots(source);
  const mayWrite = targetLock.confirmed;
  const { failed } = await copy({ source, target, snapshots, mayWrite, workers: 1 });
  assert.equal(failed, 0);
}

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
      assert.deepEqual(filesButLocks(from), filesButLocks(join(template, "from")));
      if (asksRestic) await assertResticHolds(repository);
    },
    runAgain: copyAgain,
    async afterNext(asksRestic) {
      await assertHolds(repository, expected);
      if (!asksRestic) return;
      const target = join(folder, "restored");
      await assertResticHolds(repository, { ...last, id: "latest", source: files, target });
    },
  });
  t.diagnostic(JSON.stringify(counts));
  assert.ok(snapshotsSeen > 0, "no kill came between two snapshots");
  // Whatever was done to its copies, the source is as it was.
  assert.deepEqual(inventory(join(template, "from")), sourceBefore);
});
