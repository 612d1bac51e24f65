import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, it } from "node:test";
import type { Backend } from "@comeback/core";
import { systemClock } from "@comeback/platform";
import { FaultyBackend, MemoryBackend, SeededRandom } from "@comeback/testkit";
import { backup } from "../../src/archive/backup.ts";
import type { BackupOptions, BackupResult } from "../../src/archive/backup-options.ts";
import {
  type Checkpoint,
  type CheckpointStore,
  findCheckpoint,
} from "../../src/archive/checkpoint.ts";
import { check } from "../../src/check/check.ts";
import { readFile } from "../../src/listing/read-file.ts";
import { walkSnapshot } from "../../src/listing/walk-snapshot.ts";
import { Repository } from "../../src/repository/repository.ts";
import { listSnapshots } from "../../src/repository/snapshots.ts";
import { CHEAP_SCRYPT, TEST_PASSWORD } from "../repository-builder.ts";
import { AbortingBackend } from "./aborting-backend.ts";
import { folderSource } from "./folder-source.ts";

const SEED = 20_261_122;
const MiB = 1024 * 1024;
const FOLDERS = 30;
const FILES_PER_FOLDER = 6;
const WRITTEN_SECONDS = 1_600_000_000;
const FILES = FOLDERS * FILES_PER_FOLDER;
const parent = mkdtempSync(join(tmpdir(), "comeback-checkpoint-"));
let folders = 0;
after(() => rmSync(parent, { recursive: true }));

const common = { password: TEST_PASSWORD, clock: systemClock, random: new SeededRandom(SEED) };

/** Folders in folders, so that several of them are open whenever a run ends: 17 MiB in all. */
function newFolder(): string {
  const folder = join(parent, String(folders++));
  const random = new SeededRandom(SEED);
  for (let i = 0; i < FILES; i++) {
    const [outer, inner] = [i % 5, i % FOLDERS];
    const path = join(folder, `outer-${outer}`, `inner-${inner}`, `file-${i}`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, random.bytes(random.integer(50_000, 150_000)));
    utimesSync(path, WRITTEN_SECONDS, WRITTEN_SECONDS);
  }
  return folder;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

class MemoryCheckpoint implements CheckpointStore {
  stored: Uint8Array | undefined;
  saves = 0;

  async load(): Promise<Uint8Array | undefined> {
    return this.stored;
  }

  async save(checkpoint: Uint8Array): Promise<void> {
    this.saves++;
    this.stored = checkpoint;
  }

  async remove(): Promise<void> {
    this.stored = undefined;
  }
}

async function newStore(): Promise<MemoryBackend> {
  const backend = new MemoryBackend();
  await using _ = await Repository.init({
    ...common,
    backend: backend.sharing(),
    scryptCost: CHEAP_SCRYPT,
  });
  return backend;
}

async function open(backend: Backend): Promise<Repository> {
  const repository = await Repository.open({ ...common, backend, packSizeBytes: 4 * MiB });
  await repository.loadIndex();
  return repository;
}

const HOST = { hostname: "host" };

async function find(
  backend: Backend,
  store: CheckpointStore,
  folder: string,
): Promise<Checkpoint | undefined> {
  await using repository = await open(backend);
  const parentSnapshot = (await listSnapshots(repository)).at(-1);
  return await findCheckpoint(repository, {
    store,
    ...HOST,
    paths: [folder],
    parent: parentSnapshot,
  });
}

/** A backup as the command line makes one: with the last snapshot, and the checkpoint if it helps. */
async function run(
  backend: Backend,
  folder: string,
  store: CheckpointStore,
  options: Partial<BackupOptions> & { intervalMs?: number } = {},
): Promise<BackupResult> {
  const { intervalMs, ...rest } = options;
  await using repository = await open(backend);
  const last = (await listSnapshots(repository)).at(-1);
  const paths = [folder];
  return await backup({
    repository,
    source: folderSource(folder),
    time: { seconds: Math.floor(Date.now() / 1000), nanoseconds: 0 },
    ...HOST,
    programVersion: "comeback test",
    readConcurrency: 2,
    checkpoint: { store, intervalMs },
    resumeFrom: await findCheckpoint(repository, { store, ...HOST, paths, parent: last }),
    ...(last === undefined ? {} : { parent: last }),
    ...rest,
  });
}

/** Runs a backup that is aborted once so much of it is stored: at least one pack of 4 MiB. */
async function runAborted(
  inner: Backend,
  folder: string,
  store: CheckpointStore,
  storedBytes: number,
): Promise<void> {
  const reason = new Error("stopped by the test");
  const backend = new AbortingBackend(inner, storedBytes, reason);
  // What is tested is what is salvaged, not how much of it a busy machine does in time.
  const options = { signal: backend.stop.signal, salvageMaxMs: 600_000 };
  await assert.rejects(run(backend, folder, store, options), reason);
}

/** Other content in every file, which neither size nor mtime tells. */
function changeUnseen(folder: string): void {
  for (const path of filesBelow(folder)) {
    writeFileSync(path, Buffer.alloc(statSync(path).size, 0xaa));
    utimesSync(path, WRITTEN_SECONDS, WRITTEN_SECONDS);
  }
}

/** Files of a snapshot whose content is the pattern that `changeUnseen` writes, and others. */
async function countPattern(
  store: MemoryBackend,
  treeId: string,
): Promise<{ pattern: number; other: number }> {
  await using repository = await open(store.sharing());
  const counts = { pattern: 0, other: 0 };
  for await (const { node } of walkSnapshot(repository, treeId)) {
    if (node.type !== "file") continue;
    let isPattern = true;
    for await (const bytes of readFile(repository, node)) {
      isPattern &&= bytes.every((byte) => byte === 0xaa);
    }
    counts[isPattern ? "pattern" : "other"]++;
  }
  return counts;
}

async function assertSameContent(
  store: MemoryBackend,
  treeId: string,
  folder: string,
): Promise<void> {
  await using repository = await open(store.sharing());
  const stored = new Map<string, Buffer>();
  for await (const { path, node } of walkSnapshot(repository, treeId)) {
    if (node.type !== "file") continue;
    const parts: Uint8Array[] = [];
    for await (const bytes of readFile(repository, node)) parts.push(bytes.slice());
    stored.set(join(folder, path), Buffer.concat(parts));
  }
  const paths = filesBelow(folder);
  assert.deepEqual([...stored.keys()].toSorted(), paths.toSorted());
  for (const path of paths) assert.ok(stored.get(path)?.equals(readFileSync(path)), path);
}

/** The tree that a backup into an empty repository gives. */
async function plainTreeId(folder: string): Promise<string> {
  const { treeId } = await run((await newStore()).sharing(), folder, new MemoryCheckpoint());
  return treeId;
}

async function assertSound(store: MemoryBackend): Promise<void> {
  await using repository = await open(store.sharing());
  const result = await check({ repository, readData: { kind: "all" }, workers: 1 });
  assert.deepEqual(result.problems, []);
}

async function snapshotCount(store: MemoryBackend): Promise<number> {
  await using repository = await open(store.sharing());
  return (await listSnapshots(repository)).length;
}

describe("a checkpoint", () => {
  it("spares an aborted backup the files whose content is stored", async () => {
    for (const storedBytes of [MiB, 9 * MiB]) {
      const folder = newFolder();
      const store = await newStore();
      const checkpoint = new MemoryCheckpoint();
      await runAborted(store.sharing(), folder, checkpoint, storedBytes);
      assert.equal(await snapshotCount(store), 0);
      assert.ok(checkpoint.stored !== undefined, `nothing saved after ${storedBytes} bytes`);
      await assertSound(store);

      const plain = await plainTreeId(folder);
      const result = await run(store.sharing(), folder, checkpoint);
      const resumed = result.resumed?.files ?? 0;
      // The files have 100 kB on average.
      assert.ok(resumed * 150_000 >= storedBytes, `${resumed} files of ${storedBytes} bytes`);
      assert.ok(resumed < FILES);
      assert.ok((result.resumed?.bytes ?? 0) >= resumed * 50_000);
      assert.equal(result.treeId, plain);
      assert.equal(result.summary.files_new, FILES);
      assert.equal(result.summary.files_unmodified, 0);
      assert.equal(result.snapshot?.parent, undefined);
      assert.equal(checkpoint.stored, undefined);
      await assertSameContent(store, result.treeId, folder);
      await assertSound(store);
    }
  });

  it("is of use, too, where the last packs were under way, and those of the trees with them", async () => {
    const folder = newFolder();
    const store = await newStore();
    const checkpoint = new MemoryCheckpoint();
    // More than can be stored before all is read.
    const storedBytes = 16.6 * MiB;
    await runAborted(store.sharing(), folder, checkpoint, storedBytes);
    assert.equal(await snapshotCount(store), 0);
    const result = await run(store.sharing(), folder, checkpoint);
    const resumed = result.resumed?.files ?? 0;
    assert.ok(resumed * 150_000 >= storedBytes, `${resumed} files of ${storedBytes} bytes`);
    assert.equal(result.treeId, await plainTreeId(folder));
    await assertSound(store);
  });

  it("is believed: exactly the files it spares are not read again", async () => {
    const folder = newFolder();
    const store = await newStore();
    const checkpoint = new MemoryCheckpoint();
    await runAborted(store.sharing(), folder, checkpoint, 5 * MiB);
    changeUnseen(folder);
    const result = await run(store.sharing(), folder, checkpoint, { ignoreCtime: true });
    const resumed = result.resumed?.files ?? 0;
    assert.ok(resumed >= 35, `${resumed} files`);
    const counts = await countPattern(store, result.treeId);
    assert.deepEqual(counts, { other: resumed, pattern: FILES - resumed });
    await assertSound(store);
  });

  it("does not hide that a file changed since, or went, or came", async () => {
    const folder = newFolder();
    const store = await newStore();
    const checkpoint = new MemoryCheckpoint();
    await runAborted(store.sharing(), folder, checkpoint, 9 * MiB);
    const paths = filesBelow(folder);
    for (const path of paths.slice(0, 10)) writeFileSync(path, `changed: ${path}`);
    for (const path of paths.slice(10, 20)) rmSync(path);
    for (const path of paths.slice(20, 30)) writeFileSync(`${path}.new`, path);
    const result = await run(store.sharing(), folder, checkpoint);
    assert.ok((result.resumed?.files ?? 0) > 0);
    assert.equal(result.treeId, await plainTreeId(folder));
    await assertSameContent(store, result.treeId, folder);
    await assertSound(store);
  });

  it("is saved at intervals, and good at any moment at which the process may die", async () => {
    const folder = newFolder();
    const plain = await plainTreeId(folder);
    let resumed = 0;
    for (let calls = 4; ; calls += 5) {
      const store = await newStore();
      const checkpoint = new MemoryCheckpoint();
      const backend = new FaultyBackend(store.sharing()).crashAfter(calls);
      const crashed = await run(backend, folder, checkpoint, { intervalMs: 1 }).then(
        () => false,
        () => true,
      );
      if (!crashed && !backend.crashed) break;
      const result = await run(store.sharing(), folder, checkpoint);
      assert.equal(result.treeId, plain, `crash after ${calls} calls, seed ${SEED}`);
      resumed += result.resumed?.files ?? 0;
      await assertSameContent(store, result.treeId, folder);
      await assertSound(store);
    }
    assert.ok(resumed > 0, "no crash left a checkpoint behind");
  });

  it("does not slip away when the run that goes on from it is interrupted early", async () => {
    const folder = newFolder();
    const store = await newStore();
    const checkpoint = new MemoryCheckpoint();
    await runAborted(store.sharing(), folder, checkpoint, 9 * MiB);
    // First in the order of names, and more than fits into the packs that are still open.
    mkdirSync(join(folder, "a-new"));
    const random = new SeededRandom(SEED + 1);
    for (let i = 0; i < 40; i++) {
      writeFileSync(join(folder, "a-new", `file-${i}`), random.bytes(MiB / 2));
    }
    const saves = checkpoint.saves;
    await runAborted(store.sharing(), folder, checkpoint, MiB);
    assert.equal(checkpoint.saves, saves + 1);
    const result = await run(store.sharing(), folder, checkpoint);
    const resumed = result.resumed?.files ?? 0;
    // 9 MiB of files of 150 kB at most, and new ones of half a MiB.
    assert.ok(resumed >= 62 + 1, `${resumed} files`);
    assert.equal(result.treeId, await plainTreeId(folder));
    await assertSound(store);
  });

  it("stands beside the parent snapshot", async () => {
    const folder = newFolder();
    const store = await newStore();
    const checkpoint = new MemoryCheckpoint();
    const options = { time: { seconds: 1_700_000_000, nanoseconds: 0 } };
    const first = await run(store.sharing(), folder, checkpoint, options);
    const random = new SeededRandom(SEED + 2);
    const changed = filesBelow(folder).filter((_, i) => i % 3 !== 0);
    for (const path of changed) writeFileSync(path, random.bytes(100_000));
    await runAborted(store.sharing(), folder, checkpoint, 9 * MiB);
    const result = await run(store.sharing(), folder, checkpoint);
    const resumed = result.resumed?.files ?? 0;
    assert.ok(resumed >= 62, `${resumed} of ${changed.length} files`);
    assert.equal(result.summary.files_changed, changed.length);
    assert.equal(result.summary.files_unmodified, FILES - changed.length);
    assert.equal(result.snapshot?.parent, first.snapshot?.id);
    assert.equal(result.treeId, await plainTreeId(folder));
    await assertSameContent(store, result.treeId, folder);
    await assertSound(store);
  });

  it("is left alone by a dry run, which makes use of it", async () => {
    const folder = newFolder();
    const store = await newStore();
    const checkpoint = new MemoryCheckpoint();
    await runAborted(store.sharing(), folder, checkpoint, 5 * MiB);
    const before = checkpoint.stored;
    const result = await run(store.sharing(), folder, checkpoint, { dryRun: true, intervalMs: 1 });
    assert.ok((result.resumed?.files ?? 0) > 0);
    assert.equal(checkpoint.stored, before);
  });
});

describe("a checkpoint that is of no use", () => {
  async function interrupted(): Promise<{
    folder: string;
    store: MemoryBackend;
    checkpoint: MemoryCheckpoint;
  }> {
    const folder = newFolder();
    const store = await newStore();
    const checkpoint = new MemoryCheckpoint();
    await runAborted(store.sharing(), folder, checkpoint, 5 * MiB);
    assert.ok((await find(store.sharing(), checkpoint, folder)) !== undefined);
    return { folder, store, checkpoint };
  }

  it("is ignored where it is damaged, or of another repository", async () => {
    const { folder, store, checkpoint } = await interrupted();
    const whole = Buffer.from(checkpoint.stored!);
    for (let at = 0; at < whole.length; at++) {
      checkpoint.stored = Buffer.from(whole);
      checkpoint.stored[at]! ^= 1;
      assert.equal(await find(store.sharing(), checkpoint, folder), undefined, `byte ${at}`);
    }
    for (const length of [0, 1, 31, whole.length - 1]) {
      checkpoint.stored = whole.subarray(0, length);
      assert.equal(await find(store.sharing(), checkpoint, folder), undefined, `${length} bytes`);
    }
    checkpoint.stored = whole;
    assert.equal(await find((await newStore()).sharing(), checkpoint, folder), undefined);
  });

  it("is ignored where a newer snapshot is there, or it is of other paths", async () => {
    const { folder, store, checkpoint } = await interrupted();
    assert.equal(await find(store.sharing(), checkpoint, `${folder}/other`), undefined);
    const kept = checkpoint.stored;
    const inAnHour = { seconds: Math.floor(Date.now() / 1000) + 3600, nanoseconds: 0 };
    await run(store.sharing(), folder, checkpoint, { time: inAnHour });
    checkpoint.stored = kept;
    assert.equal(await find(store.sharing(), checkpoint, folder), undefined);
  });

  it("costs only time where its trees or the data it names were pruned", async () => {
    const { folder, store, checkpoint } = await interrupted();
    const plain = await plainTreeId(folder);
    const kept = checkpoint.stored;
    // The pack with its trees is gone, and the index does not know.
    const lost = store.clone();
    const found = await find(lost.sharing(), checkpoint, folder);
    {
      await using repository = await open(lost.sharing());
      for (const { packId } of repository.index.find("tree", found?.tree ?? "")) {
        await repository.backend.remove({ type: "pack", name: packId });
      }
    }
    const healed = await run(lost.sharing(), folder, checkpoint);
    assert.equal(healed.treeId, plain);
    assert.equal(healed.resumed?.files, 0);
    await assertSameContent(lost, healed.treeId, folder);
    checkpoint.stored = kept;
    // Nothing at all is left, as after a prune.
    for (const type of ["index", "pack"] as const) {
      for (const name of store.contents().get(type)?.keys() ?? []) {
        await store.sharing().remove({ type, name });
      }
    }
    checkpoint.stored = kept;
    assert.equal(await find(store.sharing(), checkpoint, folder), undefined);
    const result = await run(store.sharing(), folder, checkpoint);
    assert.equal(result.treeId, plain);
    assert.equal(result.resumed, undefined);
    await assertSound(store);
  });
});
