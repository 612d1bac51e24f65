import assert from "node:assert/strict";
import { closeSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { SeededRandom } from "@comeback/testkit";
import { assertError } from "../drivers/assert-error.ts";
import { Client } from "../drivers/client.ts";
import { Corpus } from "../drivers/corpus.ts";
import { MemoryDisk } from "../drivers/mounts.ts";
import { initQuickly } from "../drivers/quick-repository.ts";
import { filesOf } from "../drivers/repository-files.ts";
import { assertSameTree } from "../drivers/same-tree.ts";
import { makeFolder, scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK, RESTIC_018 } from "../drivers/tools.ts";

const SEED = 8_001;
const MiB = 1024 * 1024;
const folder = scratchFolder("full-disk");

/** A repository with one snapshot, on a disk with room for a few packs more. */
async function repositoryOnSmallDisk(name: string): Promise<{
  ours: Client;
  theirs: Client;
  disk: MemoryDisk;
  small: string;
}> {
  const disk = new MemoryDisk(join(folder, name), 40 * MiB);
  const repository = join(disk.folder, "repository");
  const ours = new Client(COMEBACK, repository);
  await initQuickly(ours);
  const small = makeFolder(folder, `${name}-small`);
  writeFileSync(join(small, "file"), "saved before the disk was full\n");
  await ours.backup([small]);
  return { ours, theirs: new Client(RESTIC_018, repository), disk, small };
}

function fillDisk(path: string): void {
  const fd = openSync(path, "w");
  try {
    for (const size of [MiB, 4096, 1]) {
      const bytes = Buffer.alloc(size, 1);
      assert.throws(() => {
        for (;;) writeSync(fd, bytes);
      }, /ENOSPC/);
    }
  } finally {
    closeSync(fd);
  }
}

test(`a disk that fills up: a clear error, nothing damaged, and on it goes, seed ${SEED}`, async () => {
  const { ours, theirs, disk, small } = await repositoryOnSmallDisk("backup");
  const random = new SeededRandom(SEED);
  const corpus = new Corpus(makeFolder(folder, "source"), random, { small: 100, large: 20 });

  const failed = await ours.run(["backup", corpus.folder]);
  assertError(failed, { exitCode: 1, code: "backend.full" });
  assert.deepEqual(filesOf(ours.repository, "locks"), [], failed.describe());
  assert.equal(filesOf(ours.repository, "snapshots").length, 1);
  const litter = filesOf(ours.repository, "data").filter((path) => path.includes("tmp"));
  assert.deepEqual(litter, []);

  // Full to the last byte: not even a lock can be written, but what is there can be read.
  const filler = join(disk.folder, "filler");
  fillDisk(filler);
  const refused = await ours.run(["backup", small]);
  assertError(refused, { exitCode: 1, code: "backend.full" });
  const early = makeFolder(folder, "restored-early");
  await ours.done(["--no-lock", "restore", `latest:${small}`, "--target", early]);
  assertSameTree(small, early, { tops: false });
  rmSync(filler);

  disk.resize(400 * MiB);
  await ours.check();
  await theirs.check();
  const { data_added: added, total_bytes_processed: total } = await ours.backup([corpus.folder]);
  assert.ok(added < total, "what was stored before the disk was full is not stored again");
  for (const [source, name] of [
    [corpus.folder, "restored"],
    [small, "restored-small"],
  ] as const) {
    const target = makeFolder(folder, name);
    await ours.done(["restore", `latest:${source}`, "--path", source, "--target", target]);
    assertSameTree(source, target, { tops: false });
  }
  await theirs.check();
});

test("restore onto a disk that fills up: a clear error and exit code 1", async () => {
  const repository = join(folder, "repository");
  const ours = new Client(COMEBACK, repository);
  await initQuickly(ours);
  const random = new SeededRandom(SEED + 1);
  const corpus = new Corpus(makeFolder(folder, "large"), random, { small: 20, large: 10 });
  await ours.backup([corpus.folder]);
  const disk = new MemoryDisk(join(folder, "target"), 20 * MiB);
  const failed = await ours.run(["restore", `latest:${corpus.folder}`, "--target", disk.folder]);
  assert.equal(failed.exitCode, 1, failed.describe());
  assert.match(failed.stderr, /no space left|disk is full|ENOSPC/i, failed.describe());

  disk.resize(300 * MiB);
  await ours.restore(`latest:${corpus.folder}`, disk.folder);
  assertSameTree(corpus.folder, disk.folder, { tops: false });
});
