import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { localBackendFactory } from "@comeback/backend-local";
import { isComebackError } from "@comeback/core";
import { changePassword, listSnapshots, Repository, RepositoryLock } from "@comeback/engine";
import { systemClock, systemRandom } from "@comeback/platform";
import { SeededRandom } from "@comeback/testkit";
import { Client, PASSWORD } from "../drivers/client.ts";
import { Corpus } from "../drivers/corpus.ts";
import { assertHolds, assertResticHolds, problemsIn, readSnapshots } from "../drivers/judge.ts";
import { killAtMoments } from "../drivers/kill-moments.ts";
import { copyWithLinks } from "../drivers/linked-copy.ts";
import { makeQuickRepository, QUICK_COST } from "../drivers/quick-repository.ts";
import { storedFiles } from "../drivers/repository-files.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_014, RESTIC_018 } from "../drivers/tools.ts";

/** kill -9 while a key is changed, and while snapshots are rewritten: nothing is ever lost. */
const SEED = Number(process.env["COMEBACK_TEST_SEED"] ?? 20_263);
const KILLS = 50;
const REWRITE_KILLS = 20;
/** A run may have ended before its moment came: then it is not one of them. */
const RUNS_MAX = 100;
const NEW_PASSWORD = "the new one";

const folder = memoryFolder("kill-key");
const template = join(folder, "template");
const pristine = join(template, "repository");
const work = join(folder, "work");
const repository = join(work, "repository");
const passwordFile = join(folder, "new-password");
let expected: Awaited<ReturnType<typeof readSnapshots>>;
const restic018 = new Client(RESTIC_018, repository);

before(async () => {
  writeFileSync(passwordFile, NEW_PASSWORD);
  await makeQuickRepository(makeFolder(pristine));
  const source = makeFolder(folder, "source");
  const corpus = new Corpus(source, new SeededRandom(SEED), { small: 300, large: 1 });
  const comeback = new Client(COMEBACK, pristine);
  for (let i = 0; i < 3; i++) {
    await comeback.backup([source]);
    corpus.change(20);
  }
  expected = await readSnapshots(pristine);
});

interface Plan {
  readonly args: readonly string[];
  readonly signal: "SIGKILL" | "SIGINT";
  readonly times: number;
  prove(wasStopped: boolean, stops: number): Promise<void>;
}

/** Runs a command on a fresh copy of the repository, and stops it at a random moment, again and again. */
async function stopAgainAndAgain({ args, signal, times, prove }: Plan): Promise<void> {
  const random = new SeededRandom(SEED);
  let runMs = 0;
  let stops = 0;
  for (let runs = 0; stops < times; runs++) {
    assert.ok(runs < RUNS_MAX, `only ${stops} of ${runs} runs could be stopped`);
    copyWithLinks(template, work);
    const startMs = performance.now();
    const running = new Client(COMEBACK, repository).start(args);
    // The first run tells how long one takes; what it does before it has opened the repository is
    // of no interest.
    const momentMs = ((3_000 + random.integer(0, 7_500)) / 10_000) * runMs;
    if (runMs > 0) await Promise.race([sleep(momentMs), running.finished]);
    if (runMs > 0) running.child.kill(signal);
    const finished = await running.finished;
    const wasStopped = finished.signal === signal || finished.exitCode === 130;
    if (wasStopped) stops++;
    else assert.equal(finished.exitCode, 0, finished.describe());
    const elapsedMs = performance.now() - startMs;
    if (!wasStopped) runMs = runMs === 0 ? elapsedMs : Math.min(runMs, elapsedMs);
    await prove(wasStopped, stops);
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

/** As the program does it, but for the cost of the new key, which is half a second each time. */
async function changePasswordAgain(): Promise<void> {
  await using opened = await open(PASSWORD);
  const wish = { exclusive: true, clock: systemClock };
  await using lock = await RepositoryLock.acquire(opened, wish);
  await lock.confirmed;
  await changePassword(opened, { password: NEW_PASSWORD, scryptCost: QUICK_COST });
}

test(`${KILLS} kills while a password is changed, seed ${SEED}`, async (t: TestContext) => {
  const seen = { old: 0, both: 0, new: 0 };
  const [oldKey = ""] = storedFiles(pristine, "keys");
  /** Every key file that is there opens; resolves to a password that does. */
  const findWayIn = async (): Promise<string> => {
    const keys = storedFiles(repository, "keys");
    const [hasOld, hasNew] = [keys.includes(oldKey), keys.some((key) => key !== oldKey)];
    seen[hasOld && hasNew ? "both" : hasOld ? "old" : "new"]++;
    if (hasOld) assert.ok(await opens(PASSWORD));
    if (hasNew) assert.ok(await opens(NEW_PASSWORD));
    return hasOld ? PASSWORD : NEW_PASSWORD;
  };
  const counts = await killAtMoments({
    template,
    work,
    args: ["key", "passwd", "--new-password-file", passwordFile],
    random: new SeededRandom(SEED),
    kills: KILLS,
    async afterKill(progress, asksRestic) {
      const password = await findWayIn();
      if (progress === "after") assert.equal(password, NEW_PASSWORD);
      if (!asksRestic) return;
      await assertHolds(repository, expected, password);
      await assertResticHolds(repository, undefined, password);
    },
    // Once it had done all, the old password is none any more.
    isDone: (progress) => progress === "after",
    runAgain: changePasswordAgain,
    async afterNext(asksRestic) {
      // A run that died may have left a key of the new password, beside that of the next run.
      assert.equal(await findWayIn(), NEW_PASSWORD);
      if (asksRestic) assert.ok(!(await opens(PASSWORD)));
      if (asksRestic) await assertResticHolds(repository, undefined, NEW_PASSWORD);
    },
  });
  t.diagnostic(JSON.stringify({ ...counts, seen }));
  assert.ok(seen.both > 0, "no kill came while both keys were there");
});

/** Each snapshot is there as it was, as it has become, or as both, and nothing else is. */
async function proveRewriting(wasStopped: boolean): Promise<number> {
  await using opened = await open(PASSWORD);
  const snapshots = await listSnapshots(opened);
  const sources = snapshots.map(({ id, original }) => original ?? id);
  assert.deepEqual(new Set(sources), new Set(readdirSync(join(pristine, "snapshots"))));
  const all = new Set(sources).size;
  const made = snapshots.filter(({ original }) => original !== undefined).length;
  assert.ok(snapshots.length <= all + 1, "one at a time");
  if (!wasStopped) assert.deepEqual([made, snapshots.length], [all, all]);
  assert.deepEqual(await problemsIn(repository), []);
  return made;
}

test(`${REWRITE_KILLS} kills while snapshots are rewritten, seed ${SEED}`, async (t: TestContext) => {
  let rewritten = 0;
  const args = ["rewrite", "--exclude", "*[0-4]", "--forget", "-q"];
  const prove: Plan["prove"] = async (wasStopped) => {
    rewritten += await proveRewriting(wasStopped);
    await restic018.done(["unlock"]);
    await restic018.check();
  };
  await stopAgainAndAgain({ args, signal: "SIGKILL", times: REWRITE_KILLS, prove });
  t.diagnostic(`${rewritten} rewritten snapshots were seen`);
  // What the dead left behind stands in nobody's way.
  await new Client(COMEBACK, repository).done(args);
  await new Client(RESTIC_014, repository).check();
});

test(`Ctrl-C while snapshots are rewritten or merged leaves no lock, seed ${SEED}`, async () => {
  const rewrite = ["rewrite", "--exclude", "*[0-4]", "--forget", "-q"];
  const merge = ["merge", "--path", join(folder, "source"), "-q"];
  for (const args of [rewrite, merge]) {
    const prove: Plan["prove"] = async (wasStopped) => {
      assert.deepEqual(readdirSync(join(repository, "locks")), []);
      if (args === rewrite) await proveRewriting(wasStopped);
      await restic018.check();
    };
    await stopAgainAndAgain({ args, signal: "SIGINT", times: 4, prove });
  }
});
