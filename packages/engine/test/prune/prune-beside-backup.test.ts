import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type MemoryBackend, SeededRandom } from "@comeback/testkit";
import { backup } from "../../src/archive/backup.ts";
import { runTasksInThisThread } from "../../src/cpu-pool/in-this-thread.ts";
import { RepositoryLock } from "../../src/repository/lock.ts";
import { listSnapshots } from "../../src/repository/snapshots.ts";
import { folderSource } from "../archive/folder-source.ts";
import { RepositoryBuilder } from "../repository-builder.ts";
import { assertWhole, contents, HOUR_MS, openAt, pruneAt, START_MS } from "./prune-fixture.ts";

const ROUNDS = 25;
const SEED = Number(process.env["COMEBACK_TEST_SEED"] ?? 5);

const folder = mkdtempSync(join(tmpdir(), "comeback-prune-beside-"));
let inThisThread: Disposable;
before(() => {
  inThisThread = runTasksInThisThread(new SeededRandom(SEED));
});
after(() => {
  inThisThread[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

/** Writes files whose contents come back from round to round, so that old blobs are used again. */
function writeFiles(random: SeededRandom): void {
  rmSync(join(folder, "source"), { recursive: true, force: true });
  for (let i = 0; i < 6; i++) {
    const parent = join(folder, "source", `folder ${i % 3}`);
    mkdirSync(parent, { recursive: true });
    const content = new SeededRandom(random.integer(1, 8)).bytes(2000);
    writeFileSync(join(parent, `file ${i}`), content);
  }
}

async function backUp(backend: MemoryBackend, nowMs: number, turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise(setImmediate);
  const repository = await openAt(backend.sharing(), nowMs);
  const { clock } = repository;
  await using lock = await RepositoryLock.acquire(repository, { exclusive: false, clock });
  await repository.loadIndex();
  const snapshots = await listSnapshots(repository);
  const parent = snapshots.at(-1);
  await backup({
    repository,
    source: folderSource(join(folder, "source")),
    time: { seconds: Math.floor(nowMs / 1000), nanoseconds: 0 },
    hostname: "host",
    programVersion: "comeback test",
    readConcurrency: 1,
    mayWrite: lock.confirmed,
    ...(parent === undefined ? {} : { parent }),
  });
}

async function forgetAll(backend: MemoryBackend, keep: number): Promise<void> {
  const repository = await openAt(backend.sharing(), START_MS);
  for (const { id } of (await listSnapshots(repository)).slice(0, -keep || undefined)) {
    await backend.remove({ type: "snapshot", name: id });
  }
}

test(`backups beside prunes keep their data, seed ${SEED}`, async () => {
  const random = new SeededRandom(SEED);
  await using builder = await RepositoryBuilder.create();
  const { backend } = builder;
  let deleted = 0;
  let recovered = 0;
  for (let round = 0, nowMs = START_MS; round < ROUNDS; round++) {
    nowMs += random.integer(1, 20) * HOUR_MS;
    await forgetAll(backend, random.integer(0, 2));
    writeFiles(random);
    const [pruned] = await Promise.all([
      pruneAt(backend.sharing(), nowMs),
      backUp(backend, nowMs, random.integer(0, 60)),
    ]);
    deleted += pruned.result.packsDeleted;
    recovered += pruned.result.packsRecovered;
    await assertWhole(backend, `round ${round}`);
    assert.ok((await contents(backend)).size >= 6);
  }
  assert.ok(deleted > 0, "packs were deleted");
  assert.ok(recovered > 0, "packs were taken back");
  // What restic sees, to whom marked packs are unknown, is whole after one more prune.
  await pruneAt(backend, START_MS + ROUNDS * 20 * HOUR_MS);
  const repository = await openAt(backend, START_MS);
  const index = await repository.loadIndex();
  for (const { tree } of await listSnapshots(repository)) assert.ok(index.has("tree", tree));
});
