import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { SeededRandom } from "@comeback/testkit";
import { Client } from "../drivers/client.ts";
import { Corpus } from "../drivers/corpus.ts";
import { endInput, feed } from "../drivers/feed.ts";
import { initQuickly } from "../drivers/quick-repository.ts";
import { filesOf, storedFiles } from "../drivers/repository-files.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";
import { waitUntil } from "../drivers/wait-until.ts";

const SEED = 7_001;
const MiB = 1024 * 1024;
const folder = memoryFolder("interrupt");

async function newRepository(name: string): Promise<{ ours: Client; theirs: Client }> {
  const repository = join(folder, name);
  const ours = new Client(COMEBACK, repository);
  await initQuickly(ours);
  return { ours, theirs: new Client(RESTIC_018, repository) };
}

const STDIN_ARGS = ["backup", "--json", "--stdin", "--stdin-filename", "stream.bin"];

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`${signal} in the middle: 130, no lock, nothing damaged, what was stored is reused`, async () => {
    const { ours, theirs } = await newRepository(signal);
    const data = new SeededRandom(SEED).bytes(96 * MiB);
    const running = ours.start(STDIN_ARGS, { inputStaysOpen: true });
    await feed(running, data);
    await waitUntil("two packs", () => storedFiles(ours.repository, "data").length >= 2);
    const stored = storedFiles(ours.repository, "data");
    running.child.kill(signal);
    const finished = await running.finished;
    assert.equal(finished.exitCode, 130, finished.describe());
    assert.match(finished.stderr, /stopped before the end/, finished.describe());
    assert.deepEqual(filesOf(ours.repository, "locks"), []);
    assert.deepEqual(filesOf(ours.repository, "snapshots"), []);
    await theirs.check();
    await ours.check();

    const again = await ours.backup(["--stdin", "--stdin-filename", "stream.bin"], { input: data });
    const reusedBytes = data.length - again.data_added;
    assert.ok(reusedBytes >= 16 * MiB, `only ${reusedBytes} bytes were reused`);
    for (const pack of stored) assert.ok(filesOf(ours.repository, "data").includes(pack));
    const { stdout } = await theirs.done(["dump", "latest", "/stream.bin"]);
    assert.ok(stdout.equals(data));
    await theirs.check();
  });
}

test("a second Ctrl-C ends it on the spot", async () => {
  const { ours, theirs } = await newRepository("twice");
  const running = ours.start(STDIN_ARGS, { inputStaysOpen: true });
  await waitUntil("the lock", () => filesOf(ours.repository, "locks").length > 0);
  running.child.kill("SIGINT");
  running.child.kill("SIGINT");
  const finished = await running.finished;
  assert.equal(finished.exitCode, 130, finished.describe());
  endInput(running);
  await theirs.done(["unlock"]);
  await theirs.check();
});

test(`SIGINT at 12 moments of ordinary backups, seed ${SEED}`, async () => {
  const { ours, theirs } = await newRepository("moments");
  const random = new SeededRandom(SEED);
  const corpus = new Corpus(makeFolder(folder, "source"), random, { small: 300, large: 8 });
  const startMs = performance.now();
  await ours.backup([corpus.folder]);
  const runMs = performance.now() - startMs;
  for (let i = 0; i < 12; i++) {
    corpus.change(50);
    const running = ours.start(["backup", corpus.folder]);
    await Promise.race([sleep((runMs * (i + random.integer(0, 99) / 100)) / 12), running.finished]);
    running.child.kill("SIGINT");
    const finished = await running.finished;
    // Before Node runs the program's first line, the signal does what it does to any process.
    const isInterrupted = finished.exitCode === 130 || finished.signal === "SIGINT";
    assert.ok(isInterrupted || finished.exitCode === 0, finished.describe());
    assert.deepEqual(filesOf(ours.repository, "locks"), [], finished.describe());
  }
  await theirs.check();
  await ours.check();
  await ours.backup([corpus.folder]);
});
