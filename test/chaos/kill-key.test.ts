import assert from "node:assert/strict";
import { cpSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { localBackendFactory } from "@comeback/backend-local";
import { isComebackError } from "@comeback/core";
import { check, listSnapshots, Repository } from "@comeback/engine";
import { systemClock, systemRandom } from "@comeback/platform";
import { SeededRandom } from "@comeback/testkit";
import { Client, PASSWORD } from "../drivers/client.ts";
import { Corpus } from "../drivers/corpus.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_014, RESTIC_018 } from "../drivers/tools.ts";

/** kill -9 while a key is changed, and while snapshots are rewritten: nothing is ever lost. */
const SEED = Number(process.env["COMEBACK_TEST_SEED"] ?? 20_263);
const KILLS = 20;
/** A run may have ended before its moment came: then it is not one of the twenty. */
const RUNS_MAX = 5 * KILLS;
const NEW_PASSWORD = "the new one";

const folder = memoryFolder("kill-key");
const pristine = join(folder, "pristine");
const repository = join(folder, "repository");
const passwordFile = join(folder, "new-password");
const restic018 = new Client(RESTIC_018, repository);

before(async () => {
  writeFileSync(passwordFile, NEW_PASSWORD);
  await makeQuickRepository(pristine);
  const source = makeFolder(folder, "source");
  const corpus = new Corpus(source, new SeededRandom(SEED), { small: 300, large: 1 });
  const comeback = new Client(COMEBACK, pristine);
  for (let i = 0; i < 3; i++) {
    await comeback.backup([source]);
    corpus.change(20);
  }
});

/** Runs a command on a fresh copy of the repository, and kills it at a random moment, again and again. */
async function killAgainAndAgain(
  args: readonly string[],
  random: SeededRandom,
  prove: (wasKilled: boolean, kills: number) => Promise<void>,
): Promise<void> {
  let runMs = 0;
  let kills = 0;
  for (let runs = 0; kills < KILLS; runs++) {
    assert.ok(runs < RUNS_MAX, `only ${kills} of ${runs} runs could be killed`);
    rmSync(repository, { recursive: true, force: true });
    cpSync(pristine, repository, { recursive: true });
    const startMs = performance.now();
    const running = new Client(COMEBACK, repository).start(args);
    // The first run tells how long one takes; what it does before it has opened the repository is
    // of no interest.
    const momentMs = ((3_000 + random.integer(0, 7_500)) / 10_000) * runMs;
    if (runMs > 0) await Promise.race([sleep(momentMs), running.finished]);
    if (runMs > 0) running.child.kill("SIGKILL");
    const finished = await running.finished;
    const wasKilled = finished.signal === "SIGKILL";
    if (wasKilled) kills++;
    else assert.equal(finished.exitCode, 0, finished.describe());
    const elapsedMs = performance.now() - startMs;
    if (!wasKilled) runMs = runMs === 0 ? elapsedMs : Math.min(runMs, elapsedMs);
    await prove(wasKilled, kills);
  }
}

async function open(password: string): Promise<Repository> {
  const backend = await localBackendFactory.open(repository);
  return Repository.open({ backend, password, clock: systemClock, random: systemRandom });
}

async function opens(password: string): Promise<boolean> {
  try {
    await using _repository = await open(password);
    return true;
  } catch (error) {
    assert.ok(isComebackError(error, "key.wrong-password"), String(error));
    return false;
  }
}

test(`${KILLS} kills while a password is changed, seed ${SEED}`, async (t: TestContext) => {
  const seen = { old: 0, both: 0, new: 0 };
  const args = ["key", "passwd", "--new-password-file", passwordFile];
  await killAgainAndAgain(args, new SeededRandom(SEED), async (wasKilled, kills) => {
    const [byOld, byNew] = [await opens(PASSWORD), await opens(NEW_PASSWORD)];
    assert.ok(byOld || byNew, "no password opens the repository");
    seen[byOld && byNew ? "both" : byOld ? "old" : "new"]++;
    if (!wasKilled) assert.ok(byNew && !byOld);
    const files = readdirSync(join(repository, "keys")).filter((name) => name.length === 64);
    assert.equal(files.length, Number(byOld) + Number(byNew), "every key is one that opens");
    if (kills % 5 > 0) return;
    const password = byOld ? PASSWORD : NEW_PASSWORD;
    await new Client(COMEBACK, repository, password).check();
    const restic = new Client(RESTIC_018, repository, password);
    await restic.done(["unlock"]);
    await restic.check();
  });
  t.diagnostic(JSON.stringify(seen));
});

test(`${KILLS} kills while snapshots are rewritten, seed ${SEED}`, async (t: TestContext) => {
  const before = await new Client(COMEBACK, pristine).snapshots();
  let rewritten = 0;
  const args = ["rewrite", "--exclude", "*[0-4]", "--forget", "-q"];
  await killAgainAndAgain(args, new SeededRandom(SEED), async (wasKilled) => {
    {
      await using opened = await open(PASSWORD);
      const snapshots = await listSnapshots(opened);
      // Each is there as it was, as it has become, or as both; and nothing else is.
      const sources = snapshots.map(({ id, original }) => original ?? id);
      assert.deepEqual(new Set(sources), new Set(before.map(({ id }) => id)));
      const made = snapshots.filter(({ original }) => original !== undefined).length;
      assert.ok(snapshots.length <= before.length + 1, "one at a time");
      if (!wasKilled) assert.deepEqual([made, snapshots.length], [before.length, before.length]);
      rewritten += made;
      const { ok, problems } = await check({ repository: opened, readData: { kind: "all" } });
      assert.ok(ok, JSON.stringify(problems));
    }
    await restic018.done(["unlock"]);
    await restic018.check();
  });
  t.diagnostic(`${rewritten} rewritten snapshots were seen`);
  // What the dead left behind stands in nobody's way.
  await new Client(COMEBACK, repository).done([...args]);
  await new Client(RESTIC_014, repository).check();
});
