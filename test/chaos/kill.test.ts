import assert from "node:assert/strict";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { SeededRandom } from "@comeback/testkit";
import { Client } from "../drivers/client.ts";
import { Corpus } from "../drivers/corpus.ts";
import { initQuickly } from "../drivers/quick-repository.ts";
import { filesOf, storedFiles } from "../drivers/repository-files.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_014, RESTIC_018 } from "../drivers/tools.ts";

const SEED = Number(process.env["COMEBACK_TEST_SEED"] ?? 20_261);
const KILLS = 100;
/** Everything is proven this often on the way, not only at the end. */
const KILLS_BETWEEN_PROOFS = 25;
/** A run may have ended before its moment came: then it is not one of the hundred. */
const RUNS_MAX = 4 * KILLS;

const folder = memoryFolder("kill");
const repository = join(folder, "repository");
const comeback = new Client(COMEBACK, repository);
const restic014 = new Client(RESTIC_014, repository);
const restic018 = new Client(RESTIC_018, repository);

/** How long a backup takes now, from those that ran to their end. */
class RunTimes {
  readonly #lastMs: number[] = [];

  add(ms: number): void {
    this.#lastMs.unshift(ms);
    this.#lastMs.length = Math.min(this.#lastMs.length, 5);
  }

  get medianMs(): number {
    return this.#lastMs.toSorted((a, b) => a - b)[this.#lastMs.length >> 1] ?? 0;
  }
}

/** Kills one backup at a random moment; false where it was faster than that. */
async function killOne(source: string, random: SeededRandom, times: RunTimes): Promise<boolean> {
  const startMs = performance.now();
  const running = comeback.start(["backup", "-q", source]);
  const momentMs = (random.integer(0, 10_500) / 10_000) * times.medianMs;
  await Promise.race([sleep(momentMs), running.finished]);
  running.child.kill("SIGKILL");
  const finished = await running.finished;
  if (finished.signal === "SIGKILL") return true;
  assert.equal(finished.exitCode, 0, finished.describe());
  times.add(performance.now() - startMs);
  return false;
}

/** Both tools find it clean, a backup succeeds, and what it saved comes back. */
async function prove(corpus: Corpus, kills: number): Promise<void> {
  // Ours first: what the dead left behind must not stand in its way.
  await comeback.check();
  const { snapshot_id: id } = await comeback.backup([corpus.folder]);
  const target = makeFolder(folder, `restored-${kills}`);
  await comeback.restore(`${id}:${corpus.folder}`, target);
  assertSameTree(corpus.folder, target, { tops: false });
  // restic takes an exclusive lock here, and leaves the locks of the dead to `unlock`.
  await restic018.done(["unlock"]);
  await restic018.check();
  await restic014.check();
}

test(`kill -9 at ${KILLS} random moments, seed ${SEED}`, async (t: TestContext) => {
  const random = new SeededRandom(SEED);
  const corpus = new Corpus(makeFolder(folder, "source"), random, { small: 400, large: 8 });
  await initQuickly(comeback);
  await comeback.backup([corpus.folder]);
  const times = new RunTimes();
  for (let i = 0; i < 3; i++) {
    corpus.change(35);
    const startMs = performance.now();
    await comeback.backup([corpus.folder]);
    times.add(performance.now() - startMs);
  }
  const packsBefore = filesOf(repository, "data").length;
  let kills = 0;
  let locksLeft = 0;
  for (let runs = 0; kills < KILLS; runs++) {
    assert.ok(runs < RUNS_MAX, `only ${kills} of ${runs} backups could be killed`);
    corpus.change(35);
    if (!(await killOne(corpus.folder, random, times))) continue;
    kills++;
    locksLeft += filesOf(repository, "locks").length;
    if (kills % KILLS_BETWEEN_PROOFS === 0) {
      await prove(corpus, kills);
      // A file that was killed before it had its name is nobody's lock.
      assert.deepEqual(storedFiles(repository, "locks"), []);
      // Keeps the repository small, and is one more thing that has to work on what is left.
      await restic018.done(["prune", "--max-unused", "unlimited"]);
    }
  }
  t.diagnostic(
    `a backup took ${Math.round(times.medianMs)} ms; ${locksLeft} locks of the dead were seen`,
  );
  // The moments were spread over the run: some were after the lock, some while packs were written.
  assert.ok(locksLeft > 0, "no kill hit a backup that held its lock");
  assert.ok(storedFiles(repository, "data").length > packsBefore);
  await restic018.check();
  await comeback.check();
});
