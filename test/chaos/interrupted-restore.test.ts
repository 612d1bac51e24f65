import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { randomTree, SeededRandom } from "@comeback/testkit";
import { Client } from "../drivers/client.ts";
import { Corpus } from "../drivers/corpus.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { filesOf } from "../drivers/repository-files.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, memoryFolder, scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK } from "../drivers/tools.ts";

/** A restore that is cut off leaves nothing behind that the next one does not put right. */
const SEED = 13_001;
const MOMENTS = 12;
const folder = scratchFolder("interrupted-restore");
const source = join(folder, "source");
const ours = new Client(COMEBACK, join(memoryFolder("interrupted-restore"), "repository"));
let restoreMs = 0;

before(async () => {
  const random = new SeededRandom(SEED);
  const corpus = new Corpus(makeFolder(source, "corpus"), random, { small: 500, large: 10 });
  randomTree(join(source, "tree"), SEED, { entries: 300, largeFiles: true });
  corpus.change(10);
  await makeQuickRepository(ours.repository);
  await ours.backup(["."], { cwd: source });
  const startMs = performance.now();
  await ours.restore("latest", join(folder, "measured"));
  restoreMs = performance.now() - startMs;
});

for (const signal of ["SIGKILL", "SIGINT"] as const) {
  test(`${signal} at ${MOMENTS} moments of a restore, seed ${SEED}`, async () => {
    const random = new SeededRandom(SEED);
    let stopped = 0;
    for (let i = 0; i < MOMENTS; i++) {
      // Every other one goes on in the target that the one before left behind.
      const target = join(folder, `${signal}-${i >> 1}`);
      const running = ours.start(["restore", "latest", "--target", target]);
      const part = (i + random.integer(0, 99) / 100) / MOMENTS;
      await Promise.race([sleep(restoreMs * part), running.finished]);
      running.child.kill(signal);
      const finished = await running.finished;
      if (finished.exitCode !== 0) stopped++;
      if (signal === "SIGINT" && finished.signal === null && finished.exitCode !== 0) {
        assert.equal(finished.exitCode, 130, finished.describe());
        assert.deepEqual(filesOf(ours.repository, "locks"), [], finished.describe());
      }
      if (i % 2 === 0) continue;
      await ours.restore("latest", target);
      assertSameTree(source, target, { tops: false });
    }
    assert.ok(stopped > 0, "no restore was cut off");
  });
}
