import assert from "node:assert/strict";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { SeededRandom } from "@comeback/testkit";
import { Client } from "../drivers/client.ts";
import { Corpus } from "../drivers/corpus.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { filesOf, inventory } from "../drivers/repository-files.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";

const SEED = Number(process.env["COMEBACK_TEST_SEED"] ?? 20_262);
const KILLS = Number(process.env["COMEBACK_TEST_KILLS"] ?? 20);
/** A run may have ended before its moment came: then it is not one of them. */
const RUNS_MAX = 5 * KILLS;
/** A new target is begun after so many kills: later ones find less and less to do. */
const KILLS_A_TARGET = 5;

const folder = memoryFolder("kill-copy");
const source = join(folder, "source");
const from = ["--from-repo", source];
const env = { RESTIC_FROM_PASSWORD: "correct horse battery staple" };

/** A target that the dead left behind holds only whole snapshots, and the next copy completes it. */
async function prove(
  repository: string,
  corpus: Corpus,
  { snapshots, isLast }: { readonly snapshots: number; readonly isLast: boolean },
): Promise<void> {
  const comeback = new Client(COMEBACK, repository);
  await comeback.check();
  await comeback.done(["copy", ...from], { env });
  assert.equal((await comeback.snapshots()).length, snapshots);
  await comeback.check();
  if (!isLast) return;
  const target = join(folder, "restored");
  await comeback.restore(`latest:${corpus.folder}`, target);
  assertSameTree(corpus.folder, target, { tops: false });
  const restic = new Client(RESTIC_018, repository);
  await restic.done(["unlock"]);
  await restic.check();
  const before = inventory(repository);
  await restic.done(["copy", ...from], { env });
  assert.deepEqual(inventory(repository), before);
}

test(`kill -9 of ${KILLS} copies at random moments, seed ${SEED}`, async (t: TestContext) => {
  const random = new SeededRandom(SEED);
  const corpus = new Corpus(makeFolder(folder, "files"), random, { small: 300, large: 4 });
  await makeQuickRepository(source);
  const snapshots = 4;
  for (let i = 0; i < snapshots; i++) {
    if (i > 0) corpus.change(40);
    await new Client(COMEBACK, source).backup([corpus.folder]);
  }
  const sourceBefore = inventory(source);
  let kills = 0;
  let locksLeft = 0;
  let packsLeft = 0;
  let fullMs = 0;
  for (let runs = 0, target = 0; kills < KILLS; target++) {
    const repository = join(folder, `target-${target}`);
    await makeQuickRepository(repository);
    const comeback = new Client(COMEBACK, repository);
    // Copies get killed until one is faster, or until there were enough for this target.
    for (let here = 0; here < KILLS_A_TARGET && kills < KILLS; here++) {
      assert.ok(runs++ < RUNS_MAX, `only ${kills} of ${runs} copies could be killed`);
      const startMs = performance.now();
      const running = comeback.start(["copy", "-q", ...from], { env });
      const momentMs =
        target === 0 ? Number.POSITIVE_INFINITY : (random.integer(100, 1000) / 1000) * fullMs;
      await Promise.race([...(momentMs < fullMs * 2 ? [sleep(momentMs)] : []), running.finished]);
      running.child.kill("SIGKILL");
      const finished = await running.finished;
      if (finished.signal !== "SIGKILL") {
        assert.equal(finished.exitCode, 0, finished.describe());
        if (target === 0) fullMs = performance.now() - startMs;
        break;
      }
      kills++;
      locksLeft += filesOf(repository, "locks").length;
      packsLeft += filesOf(repository, "data").length;
    }
    await prove(repository, corpus, { snapshots, isLast: kills === KILLS });
  }
  t.diagnostic(`a copy took ${Math.round(fullMs)} ms; the dead left ${locksLeft} locks behind`);
  // The moments were spread over the run: after the lock, and while packs were written.
  assert.ok(locksLeft > 0, "no kill hit a copy that held its lock");
  assert.ok(packsLeft > 0, "no kill hit a copy that had stored something");
  // Locks of the dead aside, the source is as it was.
  await new Client(RESTIC_018, source).done(["unlock"]);
  assert.deepEqual(inventory(source), sourceBefore);
});
