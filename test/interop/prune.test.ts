import assert from "node:assert/strict";
import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { SeededRandom } from "@comeback/testkit";
import { Client, jsonLines } from "../drivers/client.ts";
import { Corpus } from "../drivers/corpus.ts";
import { endInput, feed } from "../drivers/feed.ts";
import { makeQuickRepository } from "../drivers/quick-repository.ts";
import { storedFiles } from "../drivers/repository-files.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, memoryFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018, RESTICS } from "../drivers/tools.ts";
import { waitUntil } from "../drivers/wait-until.ts";

/** Our prune and restic's, on the same repositories. */
const folder = memoryFolder("prune");
const MiB = 1024 * 1024;

/** A repository whose last two of five snapshots are left, and the folder that the last one saved. */
async function forgottenRepository(seed: number): Promise<{ repository: string; corpus: Corpus }> {
  const place = makeFolder(folder, `made-${seed}`);
  const repository = join(place, "repository");
  if (existsSync(repository)) throw new Error(`seed ${seed} is taken`);
  await makeQuickRepository(repository);
  const corpus = new Corpus(join(place, "source"), new SeededRandom(seed), {
    small: 80,
    large: 2,
  });
  const ours = new Client(COMEBACK, repository);
  const theirs = new Client(RESTIC_018, repository);
  for (let round = 0; round < 5; round++) {
    await (round % 2 === 0 ? ours : theirs).backup(["."], { cwd: corpus.folder });
    if (round < 4) corpus.change(25);
  }
  await ours.done(["forget", "--keep-last", "2", "--group-by", ""]);
  return { repository, corpus };
}

function copyOf(repository: string, name: string): string {
  const copy = `${repository}-${name}`;
  cpSync(repository, copy, { recursive: true });
  return copy;
}

/** Every blob that an index lists as in use, once for each copy. */
async function blobs(repository: string): Promise<string[]> {
  const { stdout } = await new Client(RESTIC_018, repository).done(["list", "blobs"]);
  return stdout.toString("utf8").trim().split("\n").toSorted();
}

async function assertRestores(repository: string, corpus: Corpus, name: string): Promise<void> {
  for (const tool of [COMEBACK, RESTIC_018]) {
    const target = join(folder, `restored-${name}-${tool.name}`);
    await new Client(tool, repository).restore("latest", target);
    assertSameTree(corpus.folder, target, { tops: false });
  }
}

test("our prune keeps the blobs that restic's keeps, with each set of options", async () => {
  const { repository, corpus } = await forgottenRepository(900);
  for (const [i, args] of [
    [],
    ["--max-unused", "0"],
    ["--max-unused", "unlimited"],
    ["--repack-cacheable-only"],
    ["--repack-small", "--max-unused", "20%"],
  ].entries()) {
    const theirs = copyOf(repository, `theirs-${i}`);
    await new Client(RESTIC_018, theirs).done(["prune", ...args]);
    const expected = await blobs(theirs);
    const atOnce = copyOf(repository, `instant-${i}`);
    await new Client(COMEBACK, atOnce).done(["prune", "--instant", ...args]);
    const twoPhase = copyOf(repository, `two-phase-${i}`);
    await new Client(COMEBACK, twoPhase).done(["prune", ...args]);
    assert.deepEqual(await blobs(twoPhase), expected, `marked with ${args.join(" ")}`);
    await new Client(COMEBACK, twoPhase).done(["prune", "--keep-delete", "0", ...args]);
    for (const pruned of [atOnce, twoPhase]) {
      assert.deepEqual(await blobs(pruned), expected, `${pruned} with ${args.join(" ")}`);
      const { stdout, stderr } = await new Client(RESTIC_018, pruned).check();
      assert.doesNotMatch(`${stdout.toString()}${stderr}`, /not referenced|additional files/);
    }
    if (i === 1) {
      await assertRestores(atOnce, corpus, "instant");
      await assertRestores(twoPhase, corpus, "two-phase");
    }
  }
});

for (const tool of RESTICS) {
  test(`${tool.name} prunes what we have marked, and all goes on`, async () => {
    const { repository, corpus } = await forgottenRepository(tool === RESTIC_018 ? 910 : 911);
    const ours = new Client(COMEBACK, repository);
    const theirs = new Client(tool, repository);
    await ours.done(["prune"]);
    await ours.check();
    await theirs.check();
    await theirs.done(["prune", "--max-unused", "0"]);
    await theirs.check();
    await ours.check();
    await assertRestores(repository, corpus, tool.name);
    corpus.change(10);
    await ours.backup(["."], { cwd: corpus.folder });
    await ours.done(["prune", "--max-unused", "0"]);
    await ours.done(["prune", "--keep-delete", "0"]);
    await theirs.check();
    await assertRestores(repository, corpus, `${tool.name}-again`);
  });
}

for (const tool of [COMEBACK, RESTIC_018]) {
  test(`a backup of ${tool.name} that runs beside the marking keeps its data`, async () => {
    const place = makeFolder(folder, `beside-${tool.name}`);
    const repository = join(place, "repository");
    await makeQuickRepository(repository);
    const ours = new Client(COMEBACK, repository);
    const writer = new Client(tool, repository);
    const random = new SeededRandom(920);
    const wanted = random.bytes(12 * MiB);
    const { snapshot_id: first } = await ours.backup(["--stdin"], { input: wanted });
    await ours.done(["forget", first]);

    const packs = storedFiles(repository, "data").length;
    const args = ["backup", "--json", "--stdin", "--pack-size", "4"];
    const running = writer.start(args, { inputStaysOpen: true });
    // Once it has stored a pack, it has long since read the index.
    const start = random.bytes(24 * MiB);
    const fed = feed(running, start);
    await waitUntil("a pack", () => storedFiles(repository, "data").length > packs);
    const { stdout } = await ours.done(["prune", "--json", "--keep-delete", "0"]);
    const [plan] = JSON.parse(`[${stdout.toString().trim().replaceAll("\n", ",")}]`) as {
      packs: Record<string, number>;
    }[];
    assert.ok((plan?.packs["remove"] ?? 0) > 0, "the packs of the forgotten snapshot are marked");
    await fed;
    await feed(running, wanted);
    // A second prune must not delete what it marked while the backup runs on it.
    const { stdout: second } = await ours.done(["prune", "--json", "--keep-delete", "0"]);
    assert.match(second.toString(), /"postponed":[1-9]/);
    assert.match(second.toString(), /"packs_deleted":0,/);
    endInput(running);
    const finished = await running.finished;
    assert.equal(finished.exitCode, 0, finished.describe());
    const summary = jsonLines<{ message_type: string; data_added?: number }>(finished).at(-1);
    assert.ok((summary?.data_added ?? 0) < 30 * MiB, "it did build on what was marked");

    await ours.check();
    await ours.done(["prune", "--keep-delete", "0"]);
    await new Client(RESTIC_018, repository).check();
    await ours.done(["prune", "--keep-delete", "0"]);
    for (const reader of [ours, new Client(RESTIC_018, repository)]) {
      await reader.check();
      const { stdout: dumped } = await reader.done(["dump", "latest", "stdin"]);
      assert.ok(Buffer.concat([start, wanted]).equals(dumped), reader.tool.name);
    }
  });
}
