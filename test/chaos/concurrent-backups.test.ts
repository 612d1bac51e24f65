import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { test } from "node:test";
import { SeededRandom } from "@comeback/testkit";
import { Client, summaryOf } from "../drivers/client.ts";
import { Corpus } from "../drivers/corpus.ts";
import { endInput, feed } from "../drivers/feed.ts";
import { initQuickly } from "../drivers/quick-repository.ts";
import { storedFiles } from "../drivers/repository-files.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018, type Tool } from "../drivers/tools.ts";
import { waitUntil } from "../drivers/wait-until.ts";

const SEED = 10_001;
const MiB = 1024 * 1024;
const folder = memoryFolder("concurrent");

async function newRepository(name: string): Promise<Client> {
  const ours = new Client(COMEBACK, join(folder, name));
  await initQuickly(ours);
  return ours;
}

async function assertComesBack(ours: Client, id: string, source: string): Promise<void> {
  const target = makeFolder(folder, `restored-${id}`, basename(source));
  await ours.restore(`${id}:${source}`, target);
  assertSameTree(source, target, { tops: false });
}

for (const [name, tool] of [
  ["two of our processes", COMEBACK],
  ["restic 0.18 and we", RESTIC_018],
] as const satisfies readonly (readonly [string, Tool])[]) {
  test(`${name} back up into one repository at the same time, seed ${SEED}`, async () => {
    const ours = await newRepository(tool.name);
    const other = new Client(tool, ours.repository);
    const random = new SeededRandom(SEED);
    const sources = ["a", "b"].map(
      (part) => new Corpus(makeFolder(folder, tool.name, part), random, { small: 200, large: 6 }),
    );
    // The third is in both backups: whoever comes second need not store it, but may.
    const common = new Corpus(makeFolder(folder, tool.name, "c"), random, { small: 50, large: 3 });
    for (let round = 0; round < 3; round++) {
      const summaries = await Promise.all(
        [ours, other].map((client, i) => client.backup([sources[i]!.folder, common.folder])),
      );
      for (const [i, { snapshot_id: id }] of summaries.entries()) {
        await assertComesBack(ours, id, sources[i]!.folder);
        await assertComesBack(ours, id, common.folder);
      }
      for (const corpus of [...sources, common]) corpus.change(40);
    }
    await new Client(RESTIC_018, ours.repository).check();
    await ours.check();
    assert.equal((await ours.snapshots()).length, 6);
    assert.deepEqual(storedFiles(ours.repository, "locks"), []);
  });
}

test("both are certainly under way at once, and each saves everything", async () => {
  const ours = await newRepository("overlapping");
  const data = [1, 2].map((n) => new SeededRandom(SEED + n).bytes(40 * MiB));
  const running = data.map((_, i) =>
    ours.start(["backup", "--json", "--stdin", "--stdin-filename", `stream-${i}`], {
      inputStaysOpen: true,
    }),
  );
  await waitUntil("two locks", () => storedFiles(ours.repository, "locks").length === 2);
  await Promise.all(running.map((one, i) => feed(one, data[i]!)));
  running.forEach(endInput);
  for (const [i, one] of running.entries()) {
    const finished = await one.finished;
    assert.equal(finished.exitCode, 0, finished.describe());
    const { snapshot_id: id } = summaryOf(finished);
    const theirs = new Client(RESTIC_018, ours.repository);
    const { stdout } = await theirs.done(["dump", id, `/stream-${i}`]);
    assert.ok(stdout.equals(data[i]!));
  }
});

test("who needs the repository alone waits, or is told who has it: 11", async () => {
  const ours = await newRepository("exclusive");
  const theirs = new Client(RESTIC_018, ours.repository);
  const running = ours.start(["backup", "--stdin"], { inputStaysOpen: true });
  await waitUntil("our lock", () => storedFiles(ours.repository, "locks").length === 1);
  const refused = await theirs.run(["prune"]);
  assert.equal(refused.exitCode, 11, refused.describe());
  assert.match(refused.stderr, new RegExp(`PID ${running.pid} `), refused.describe());
  // A living process's lock stays where it is.
  // restic asked with a SIGHUP whether we live, and we do.
  await theirs.done(["unlock"]);
  assert.equal(storedFiles(ours.repository, "locks").length, 1);
  await feed(running, Buffer.from("still here\n"));
  endInput(running);
  const finished = await running.finished;
  assert.equal(finished.exitCode, 0, finished.describe());
  await theirs.done(["prune"]);
});

test("restic's exclusive lock keeps us out, and --retry-lock waits for its end", async () => {
  const ours = await newRepository("their-lock");
  const source = new Corpus(makeFolder(folder, "locked"), new SeededRandom(SEED), {
    small: 5,
    large: 0,
  });
  await ours.backup([source.folder]);
  // Stopped right after it took its lock, while it waits to look for others a second time.
  const theirs = new Client(RESTIC_018, ours.repository);
  const holder = theirs.start(["check"]);
  await waitUntil("their lock", () => storedFiles(ours.repository, "locks").length === 1);
  process.kill(holder.pid, "SIGSTOP");
  const refused = await ours.run(["backup", source.folder]);
  assert.equal(refused.exitCode, 11, refused.describe());
  assert.match(refused.stderr, new RegExp(`\\b${holder.pid}\\b`), refused.describe());
  const patient = ours.start(["backup", "--retry-lock", "2m", source.folder]);
  process.kill(holder.pid, "SIGCONT");
  await holder.finished;
  const finished = await patient.finished;
  assert.equal(finished.exitCode, 0, finished.describe());
});
