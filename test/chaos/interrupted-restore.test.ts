import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { randomTree, SeededRandom } from "@comeback/testkit";
import { Client } from "../drivers/client.ts";
import { Corpus } from "../drivers/corpus.ts";
import { copyWithLinks } from "../drivers/linked-copy.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { filesOf } from "../drivers/repository-files.ts";
import type { Finished } from "../drivers/run-program.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, memoryFolder, scratchFolder } from "../drivers/scratch.ts";
import { signalAtWrite } from "../drivers/signal-at-write.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";

/** A restore that is cut off leaves nothing behind that the next one does not put right. */
const SEED = 13_001;
const MOMENTS = 12;
const folder = scratchFolder("interrupted-restore");
const source = join(folder, "source");
const copies = memoryFolder("interrupted-restore");
const ours = new Client(COMEBACK, join(copies, "repository"));
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

/** The repository belongs to each test alone: what was killed in one left its traces there. */
function ownRepository(name: string): Client {
  const copy = join(copies, name);
  copyWithLinks(ours.repository, copy);
  return new Client(COMEBACK, copy);
}

/** Clients that read leave nothing but what they leave in `locks`, temporary files included. */
const litter = (client: Client): string[] => filesOf(client.repository, "locks");

for (const signal of ["SIGKILL", "SIGINT"] as const) {
  test(`${signal} at ${MOMENTS} moments of a restore, seed ${SEED}`, async () => {
    const random = new SeededRandom(SEED);
    const client = ownRepository(signal);
    let stopped = 0;
    for (let i = 0; i < MOMENTS; i++) {
      // Every other one goes on in the target that the one before left behind.
      const target = join(folder, `${signal}-${i >> 1}`);
      const running = client.start(["restore", "latest", "--target", target]);
      const part = (i + random.integer(0, 99) / 100) / MOMENTS;
      await Promise.race([sleep(restoreMs * part), running.finished]);
      running.child.kill(signal);
      const finished = await running.finished;
      if (finished.exitCode !== 0) stopped++;
      if (signal === "SIGINT" && finished.signal === null && finished.exitCode !== 0) {
        assert.equal(finished.exitCode, 130, finished.describe());
        assert.deepEqual(litter(client), [], finished.describe());
      }
      if (i % 2 === 0) continue;
      await client.restore("latest", target);
      assertSameTree(source, target, { tops: false });
    }
    assert.ok(stopped > 0, "no restore was cut off");
  });
}

/** Runs a restore that a signal meets at one exact moment of its writing to the repository. */
async function restoreWith(
  client: Client,
  signal: "SIGINT" | "SIGKILL",
  moment: number,
): Promise<Finished> {
  const below = client.repository;
  const env = signalAtWrite({ below, signal, moment, countFile: join(folder, "moments") });
  const target = join(folder, "exact");
  return client.run(["restore", "latest", "--target", target, "--include", "/tree"], { env });
}

test("Ctrl-C at every moment of taking and giving back the lock leaves no trace of it", async () => {
  const client = ownRepository("exact");
  await restoreWith(client, "SIGINT", 0);
  const moments = Number(readFileSync(join(folder, "moments"), "utf8"));
  // A lock is opened, written, synced, linked, unlinked and in the end removed, each with two.
  assert.ok(moments >= 12, `${moments} moments`);
  for (let moment = 1; moment <= moments; moment++) {
    const finished = await restoreWith(client, "SIGINT", moment);
    // Once all is restored, it may as well say so.
    const isDone = finished.exitCode === 0 && moment > moments - 2;
    assert.ok(finished.exitCode === 130 || isDone, `${moment}: ${finished.describe()}`);
    assert.deepEqual(litter(client), [], `${moment}: ${finished.describe()}`);
  }
});

test("kill -9 while the lock is written leaves a file that stands in nobody's way", async () => {
  const client = ownRepository("killed");
  // Opened, and not yet written.
  const killed = await restoreWith(client, "SIGKILL", 2);
  assert.equal(killed.signal, "SIGKILL", killed.describe());
  const left = litter(client);
  assert.match(left.join(), /-tmp-[0-9a-f]+$/);
  const interrupted = await restoreWith(client, "SIGINT", 2);
  assert.equal(interrupted.exitCode, 130, interrupted.describe());
  // It was not of the one that was interrupted.
  assert.deepEqual(litter(client), left);
  await client.done(["prune", "--instant"]);
  await new Client(RESTIC_018, client.repository).check();
});
