import assert from "node:assert/strict";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { SeededRandom } from "@comeback/testkit";
import { Client } from "../drivers/client.ts";
import { Corpus } from "../drivers/corpus.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { filesOf } from "../drivers/repository-files.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";

const SEED = Number(process.env["COMEBACK_TEST_SEED"] ?? 20_261);
const KILLS = Number(process.env["COMEBACK_TEST_PRUNE_KILLS"] ?? 20);
const KILLS_BETWEEN_PROOFS = 10;
/** A run may have ended before its moment came: then it does not count. */
const RUNS_MAX = 4 * KILLS;
/** Marking, deleting what was marked, and everything at once. */
const WAYS = [["prune"], ["prune", "--keep-delete", "0"], ["prune", "--instant"]] as const;

const folder = memoryFolder("kill-prune");
const repository = join(folder, "repository");
const comeback = new Client(COMEBACK, repository);
const restic = new Client(RESTIC_018, repository);

/** Everything there is comes back, and both tools find nothing wrong. */
async function prove(corpus: Corpus, kills: number): Promise<void> {
  await comeback.check();
  await restic.done(["unlock"]);
  await restic.check();
  const target = makeFolder(folder, `restored-${kills}`);
  await (kills % 2 === 0 ? comeback : restic).restore("latest", target);
  assertSameTree(corpus.folder, target, { tops: false });
}

test(`kill -9 of ${KILLS} prunes at random moments, seed ${SEED}`, async (t: TestContext) => {
  const random = new SeededRandom(SEED);
  const corpus = new Corpus(makeFolder(folder, "source"), random, { small: 80, large: 2 });
  await makeQuickRepository(repository);
  await comeback.backup(["."], { cwd: corpus.folder });
  let kills = 0;
  let locksLeft = 0;
  let lastMs = 0;
  for (let runs = 0; kills < KILLS; runs++) {
    assert.ok(runs < RUNS_MAX, `only ${kills} of ${runs} prunes could be killed`);
    corpus.change(30);
    await comeback.backup(["."], { cwd: corpus.folder });
    await comeback.done(["forget", "--keep-last", "2"]);
    const way = WAYS[runs % WAYS.length] ?? WAYS[0];
    const startMs = performance.now();
    const running = comeback.start([...way, "-q", "--max-unused", "0"]);
    // The first one tells how long it takes.
    if (lastMs > 0) {
      await Promise.race([sleep(random.integer(lastMs >> 2, lastMs)), running.finished]);
      running.child.kill("SIGKILL");
    }
    const finished = await running.finished;
    if (finished.signal !== "SIGKILL") {
      assert.equal(finished.exitCode, 0, finished.describe());
      lastMs = Math.ceil(performance.now() - startMs);
      continue;
    }
    kills++;
    locksLeft += filesOf(repository, "locks").length;
    await comeback.done(["check"]);
    if (kills % KILLS_BETWEEN_PROOFS === 0) await prove(corpus, kills);
  }
  t.diagnostic(`a prune took ${lastMs} ms; ${locksLeft} locks of the dead were seen`);
  assert.ok(locksLeft > 0, "no kill hit a prune that held its lock");
  await comeback.done(["prune"]);
  await comeback.done(["prune", "--keep-delete", "0"]);
  await prove(corpus, KILLS + 1);
  const { stdout } = await comeback.done(["check"]);
  assert.doesNotMatch(stdout.toString(), /note:/, "nothing is left over");
});
