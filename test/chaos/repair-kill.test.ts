import assert from "node:assert/strict";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { localBackendFactory } from "@comeback/backend-local";
import { byteStringFromText } from "@comeback/core";
import { backup, check, instantOfMilliseconds, Repository } from "@comeback/engine";
import { systemClock, systemRandom } from "@comeback/platform";
import { createFilesSource } from "@comeback/source-files";
import { SeededRandom } from "@comeback/testkit";
import { Client, PASSWORD } from "../drivers/client.ts";
import { DAMAGES } from "../drivers/damage.ts";
import type { Running } from "../drivers/run-program.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { storedFiles } from "../drivers/repository-files.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";

const SEED = Number(process.env["COMEBACK_TEST_SEED"] ?? 20_264);
const KILLS = 15;
/** A run may have ended before its moment came: then it is not one of them. */
const RUNS_MAX = 4 * KILLS;
/** Many small packs, so that there is time to be killed in. */
const PACK_BYTES = 20_000;

const folder = memoryFolder("repair-kill");
const path = join(folder, "repository");
const locks = join(path, "locks");
const comeback = new Client(COMEBACK, path);

async function open(): Promise<Repository> {
  return Repository.open({
    backend: await localBackendFactory.open(path, {}),
    password: PASSWORD,
    clock: systemClock,
    random: systemRandom,
    packSizeBytes: PACK_BYTES,
  });
}

/** Three snapshots, three index files, and some hundred packs. */
async function makeRepository(random: SeededRandom): Promise<void> {
  await makeQuickRepository(path);
  const source = makeFolder(folder, "source");
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 80; i++) {
      writeFileSync(join(source, `${round}-${i}`), random.bytes(random.integer(1, 30_000)));
    }
    await using repository = await open();
    await repository.loadIndex();
    await backup({
      repository,
      source: createFilesSource({ targets: [byteStringFromText(source)] }),
      time: instantOfMilliseconds(Date.now()),
      hostname: "test",
      programVersion: "test",
    });
  }
}

async function problems(): Promise<number> {
  await using repository = await open();
  return (await check({ repository, workers: 1 })).problemCount;
}

/** Index files that are gone, damaged, or both. */
function damageIndex(random: SeededRandom): void {
  for (const file of storedFiles(path, "index")) {
    const dice = random.integer(0, 3);
    if (dice === 0) DAMAGES["removed"](join(path, file));
    else if (dice === 1) DAMAGES["one bit flipped"](join(path, file));
  }
}

function startRepair(readAllPacks: boolean): Running {
  return comeback.start(["repair", "index", "-q", ...(readAllPacks ? ["--read-all-packs"] : [])]);
}

/** Resolves once the program holds its lock, or has ended. */
async function lockOf(running: Running): Promise<void> {
  const known = new Set(readdirSync(locks));
  const { child } = running;
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  while (!isOver() && readdirSync(locks).every((name) => known.has(name))) await sleep(1);
}

/** How long a repair that nobody kills holds its lock. */
async function holdTimeMs(running: Running): Promise<number> {
  await lockOf(running);
  const startMs = performance.now();
  const finished = await running.finished;
  assert.equal(finished.exitCode, 0, finished.describe());
  return performance.now() - startMs;
}

test(`kill -9 during repair index at ${KILLS} moments, seed ${SEED}`, async (t: TestContext) => {
  const random = new SeededRandom(SEED);
  await makeRepository(random);
  const packs = storedFiles(path, "data").length;
  assert.ok(packs > 100, `${packs} packs`);
  let kills = 0;
  let locksLeft = 0;
  let usualMs = await holdTimeMs(startRepair(true));
  for (let runs = 0; kills < KILLS; runs++) {
    assert.ok(runs < RUNS_MAX, `only ${kills} of ${runs} repairs could be killed`);
    damageIndex(random);
    const before = await problems();
    const running = startRepair(kills % 2 === 0);
    await lockOf(running);
    await Promise.race([sleep((usualMs * random.integer(0, 1100)) / 1000), running.finished]);
    running.child.kill("SIGKILL");
    const finished = await running.finished;
    assert.ok(finished.signal === "SIGKILL" || finished.exitCode === 0, finished.describe());
    if (finished.signal === "SIGKILL") kills++;
    // It was quicker than expected.
    else usualMs *= 0.7;
    locksLeft += readdirSync(locks).length;
    const after = await problems();
    assert.ok(after <= before, `${after} problems after kill ${kills}, ${before} before`);
  }
  // The lock of the dead one is of a process that is gone.
  await comeback.done(["repair", "index"]);
  await comeback.check();
  const restic = new Client(RESTIC_018, path);
  await restic.done(["unlock"]);
  await restic.check();
  assert.equal(storedFiles(path, "data").length, packs);
  assert.ok(locksLeft > 0, "no kill hit a repair that held its lock");
  t.diagnostic(`${locksLeft} locks of the dead were seen`);
  rmSync(path, { recursive: true });
});
