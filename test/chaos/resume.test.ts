import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { SeededRandom } from "@comeback/testkit";
import { checkpointTimes } from "../drivers/checkpoints.ts";
import { type BackupSummary, Client, summaryOf } from "../drivers/client.ts";
import { Corpus } from "../drivers/corpus.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { filesOf, storedFiles } from "../drivers/repository-files.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_014, RESTIC_018 } from "../drivers/tools.ts";
import { waitUntil } from "../drivers/wait-until.ts";

const SEED = Number(process.env["COMEBACK_TEST_SEED"] ?? 20_262);
const KILLS = 6;
/** Small packs, so that much is stored early; and nobody waits five minutes here. */
const ARGS = ["--pack-size", "4"];
const folder = memoryFolder("resume");
const cache = makeFolder(folder, "cache");
const OFTEN = { env: { COMEBACK_TEST_CHECKPOINT_MS: "50", XDG_CACHE_HOME: cache } };
const corpusSize = { small: 400, large: 14 };

async function newRepository(name: string): Promise<{ ours: Client; theirs: Client }> {
  const repository = join(folder, name);
  await makeQuickRepository(repository);
  return { ours: new Client(COMEBACK, repository), theirs: new Client(RESTIC_018, repository) };
}

async function assertComesBack(
  ours: Client,
  summary: BackupSummary,
  corpus: Corpus,
): Promise<void> {
  const target = makeFolder(folder, `restored-${summary.snapshot_id}`);
  await ours.restore(`${summary.snapshot_id}:${corpus.folder}`, target);
  assertSameTree(corpus.folder, target, { tops: false });
}

/** What an interruption left is sound, and not a single snapshot. */
async function assertCleanWithoutSnapshot(ours: Client, theirs: Client): Promise<void> {
  assert.deepEqual(filesOf(ours.repository, "snapshots"), []);
  await theirs.done(["unlock"]);
  await theirs.check();
  await ours.check();
}

test(`kill -9 in a first backup at ${KILLS} moments, seed ${SEED}`, async (t: TestContext) => {
  const random = new SeededRandom(SEED);
  const corpus = new Corpus(makeFolder(folder, "killed"), random, corpusSize);
  const resumed: number[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const { ours, theirs } = await newRepository(`kill-${kill}`);
    const packs = (): number => storedFiles(ours.repository, "data").length;
    // Every other one is killed a second time, on its way on.
    for (let times = 0; times <= kill % 2; times++) {
      const running = ours.start(["backup", "-q", ...ARGS, corpus.folder], OFTEN);
      const wanted = packs() + random.integer(0, 5);
      const { finished, child } = running;
      const isOver = (): boolean => child.exitCode !== null || packs() >= wanted;
      await waitUntil(`${wanted} packs`, isOver);
      await Promise.race([sleep(random.integer(0, 100)), finished]);
      if (kill === 0) {
        // For once not at random: a checkpoint has just been saved, and tells of stored files.
        await waitUntil("3 packs", () => child.exitCode !== null || packs() >= 3);
        const before = checkpointTimes(cache);
        await waitUntil(
          "a checkpoint",
          () => child.exitCode !== null || checkpointTimes(cache) !== before,
        );
      }
      child.kill("SIGKILL");
      await finished;
    }
    if (filesOf(ours.repository, "snapshots").length === 0) {
      await assertCleanWithoutSnapshot(ours, theirs);
    }
    if (kill % 3 === 0) corpus.change(20);
    const summary = await ours.backup([corpus.folder], { args: ARGS, ...OFTEN });
    resumed.push(summary.resumed_files ?? 0);
    await assertComesBack(ours, summary, corpus);
    await theirs.check();
  }
  t.diagnostic(`files that were not read again: ${resumed.join(", ")}`);
  assert.ok(Math.max(...resumed) > 0, "no checkpoint was of any use");
});

test("Ctrl-C leaves a checkpoint: the rest is read, a changed file is read again", async () => {
  const { ours, theirs } = await newRepository("ctrl-c");
  const corpus = new Corpus(makeFolder(folder, "interrupted"), new SeededRandom(SEED), corpusSize);
  const running = ours.start(["backup", ...ARGS, corpus.folder]);
  await waitUntil("three packs", () => storedFiles(ours.repository, "data").length >= 3);
  running.child.kill("SIGINT");
  const stopped = await running.finished;
  assert.equal(stopped.exitCode, 130, stopped.describe());
  assert.deepEqual(filesOf(ours.repository, "locks"), []);
  await assertCleanWithoutSnapshot(ours, theirs);
  await new Client(RESTIC_014, ours.repository).check();

  corpus.change(10);
  const finished = await ours.run(["backup", "--json", ...ARGS, corpus.folder]);
  assert.equal(finished.exitCode, 0, finished.describe());
  const summary = summaryOf(finished);
  const files = corpusSize.small + corpusSize.large;
  assert.ok((summary.resumed_files ?? 0) > 0, finished.describe());
  assert.ok((summary.resumed_files ?? 0) < files, finished.describe());
  assert.equal(summary.files_new, files);
  await assertComesBack(ours, summary, corpus);
  await theirs.check();
  // It has served its purpose.
  assert.equal((await ours.backup([corpus.folder, "--force"])).resumed_files, undefined);
  assert.equal((await ours.backup([corpus.folder])).resumed_files, undefined);
});

test("--force looks at no checkpoint, and with --no-cache there is none", async () => {
  const { ours, theirs } = await newRepository("forced");
  const corpus = new Corpus(
    makeFolder(folder, "forced-source"),
    new SeededRandom(SEED),
    corpusSize,
  );
  const chosen = makeFolder(folder, "chosen-cache");
  const interrupt = async (...args: string[]): Promise<void> => {
    const before = storedFiles(ours.repository, "data").length;
    const running = ours.start(["backup", ...ARGS, ...args, corpus.folder]);
    await waitUntil("packs", () => storedFiles(ours.repository, "data").length >= before + 3);
    running.child.kill("SIGINT");
    const stopped = await running.finished;
    assert.equal(stopped.exitCode, 130, stopped.describe());
  };
  await interrupt("--no-cache");
  const uncached = await ours.backup([corpus.folder], { args: ["-n", "--cache-dir", chosen] });
  assert.equal(uncached.resumed_files, undefined);

  corpus.change(100);
  await interrupt("--cache-dir", chosen);
  assert.ok(readdirSync(chosen).length > 0);
  const args = ["--cache-dir", chosen];
  const dry = await ours.backup([corpus.folder], { args: [...args, "-n"] });
  assert.ok((dry.resumed_files ?? 0) > 0);
  const forced = await ours.backup([corpus.folder], { args: [...args, "--force"] });
  assert.equal(forced.resumed_files, undefined);
  await assertComesBack(ours, forced, corpus);
  await theirs.check();
});
