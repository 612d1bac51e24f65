import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import type { Backend, Source } from "@comeback/core";
import { systemClock } from "@comeback/platform";
import { FaultyBackend, MemoryBackend, SeededRandom } from "@comeback/testkit";
import { backup } from "../../src/archive/backup.ts";
import type { BackupOptions, BackupResult } from "../../src/archive/backup-options.ts";
import { readAhead } from "../../src/archive/read-ahead.ts";
import { check } from "../../src/check/check.ts";
import { createChunker } from "../../src/chunker/chunker.ts";
import { decodeIndexFile, encodeIndexFile } from "../../src/index/index-file.ts";
import { Repository } from "../../src/repository/repository.ts";
import { listSnapshots } from "../../src/repository/snapshots.ts";
import { CHEAP_SCRYPT, TEST_PASSWORD } from "../repository-builder.ts";
import { folderSource, streamSource } from "./folder-source.ts";

const SEED = 20_261_121;
const MiB = 1024 * 1024;
const parent = mkdtempSync(join(tmpdir(), "comeback-archive-"));
let folders = 0;
after(() => rmSync(parent, { recursive: true }));

function newFolder(files: Readonly<Record<string, Uint8Array | string>> = {}): string {
  const folder = join(parent, String(folders++));
  mkdirSync(folder);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

function randomBytes(length: number, seed = SEED): Uint8Array {
  return new SeededRandom(seed).bytes(length);
}

const common = { password: TEST_PASSWORD, clock: systemClock, random: new SeededRandom(SEED) };

async function newStore(): Promise<MemoryBackend> {
  const backend = new MemoryBackend();
  await using _repository = await Repository.init({
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

type RunOptions = Partial<Omit<BackupOptions, "source" | "repository">> & {
  readonly useParent?: boolean;
};

async function run(
  backend: Backend,
  source: Source,
  { useParent = true, ...options }: RunOptions = {},
): Promise<BackupResult> {
  await using repository = await open(backend);
  const snapshots = useParent ? await listSnapshots(repository) : [];
  const last = snapshots.at(-1);
  return await backup({
    repository,
    source,
    time: { seconds: 1_790_000_000 + snapshots.length, nanoseconds: 0 },
    hostname: "host",
    programVersion: "comeback test",
    readConcurrency: 2,
    ...(last === undefined ? {} : { parent: last }),
    ...options,
  });
}

/** A file's content as the repository has it. */
async function stored(store: MemoryBackend, result: BackupResult, path: string): Promise<Buffer> {
  await using repository = await open(store.sharing());
  let tree = result.treeId;
  const names = path.split("/");
  for (const name of names.slice(0, -1)) {
    const node = (await repository.loadTree(tree)).find((found) => found.name === name);
    tree = node?.subtree ?? assert.fail(`${path}: no folder ${name}`);
  }
  const file = (await repository.loadTree(tree)).find((found) => found.name === names.at(-1));
  const ids = file?.content ?? assert.fail(`${path} is not in the snapshot`);
  const parts: Uint8Array[] = [];
  for (const id of ids) parts.push(await repository.loadBlob("data", id));
  return Buffer.concat(parts);
}

async function assertSound(store: MemoryBackend): Promise<void> {
  await using repository = await open(store.sharing());
  const result = await check({ repository, readData: { kind: "all" }, workers: 1 });
  assert.deepEqual(result.problems, []);
}

describe("backup", () => {
  it("stores files of every size around the bounds as they are", async () => {
    const sizes = [0, 1, 511 * 1024, 512 * 1024, 512 * 1024 + 1, 8 * MiB - 1, 8 * MiB, 8 * MiB + 1];
    sizes.push(45 * MiB + 12_345);
    const files = Object.fromEntries(
      sizes.map((size, i) => [`folder/${i}`, randomBytes(size, SEED + i)]),
    );
    const store = await newStore();
    const result = await run(store.sharing(), folderSource(newFolder(files)));
    assert.equal(result.problemCount, 0);
    for (const [name, content] of Object.entries(files)) {
      assert.ok((await stored(store, result, name)).equals(content), name);
    }
    assert.equal(result.summary.files_new, sizes.length);
    assert.equal(
      result.summary.total_bytes_processed,
      sizes.reduce((a, b) => a + b, 0),
    );
    await assertSound(store);
  });

  it("cuts a large file, scanned and shared among workers, as a sequential reading does", async () => {
    const content = randomBytes(40 * MiB);
    content.fill(0, 10 * MiB, 25 * MiB);
    const store = await newStore();
    const result = await run(store.sharing(), folderSource(newFolder({ large: content })));
    await using repository = await open(store.sharing());
    const [node] = await repository.loadTree(result.treeId);
    const lengths: number[] = [];
    for (const id of node?.content ?? []) {
      lengths.push((await repository.loadBlob("data", id)).length);
    }
    const chunker = createChunker(repository.config.chunkerPolynomial);
    const cuts = chunker.findCuts({
      read(target, position) {
        target.set(content.subarray(position, position + target.length));
        return Math.min(target.length, content.length - position);
      },
      from: 0,
      to: content.length,
    });
    assert.deepEqual(
      lengths,
      cuts.map((cut, i) => cut - (cuts[i - 1] ?? 0)),
    );
  });

  it("stores a stream as it stores a file of the same bytes", async () => {
    const content = randomBytes(21 * MiB + 7);
    const random = new SeededRandom(SEED);
    async function* pieces(): AsyncIterable<Uint8Array> {
      for (let at = 0; at < content.length;) {
        const size = random.integer(1, 3 * MiB);
        yield content.subarray(at, at + size);
        at += size;
      }
    }
    const store = await newStore();
    const first = await run(store.sharing(), folderSource(newFolder({ large: content })));
    const second = await run(store.sharing(), streamSource(pieces));
    assert.ok((await stored(store, second, "stdin")).equals(content));
    assert.ok(first.summary.data_blobs > 5);
    assert.equal(second.summary.data_blobs, 0, "every chunk is known already");
  });

  it("writes no snapshot when a stream fails", async () => {
    async function* pieces(): AsyncIterable<Uint8Array> {
      yield randomBytes(9 * MiB);
      throw new Error("the command failed");
    }
    const store = await newStore();
    await assert.rejects(run(store.sharing(), streamSource(pieces)), /the command failed/);
    await using repository = await open(store.sharing());
    assert.deepEqual(await listSnapshots(repository), []);
  });

  it("reads nothing again that is unchanged, and keeps the tree", async () => {
    const folder = newFolder({ "a/one": "1", "a/two": "2", "b/three": "3" });
    const store = await newStore();
    const first = await run(store.sharing(), folderSource(folder));
    const second = await run(store.sharing(), folderSource(folder));
    assert.equal(second.treeId, first.treeId);
    const { files_unmodified, dirs_unmodified, tree_blobs, data_blobs } = second.summary;
    assert.deepEqual([files_unmodified, dirs_unmodified, tree_blobs, data_blobs], [3, 2, 0, 0]);
  });

  it("tells new, changed, removed and untouched entries apart", async () => {
    const folder = newFolder({ "a/one": "1", "a/two": "2", "b/three": "3", "c/four": "4" });
    const store = await newStore();
    const first = await run(store.sharing(), folderSource(folder));
    writeFileSync(join(folder, "a/one"), "changed");
    writeFileSync(join(folder, "a/new"), "new");
    rmSync(join(folder, "b/three"));
    const second = await run(store.sharing(), folderSource(folder));
    const { files_new, files_changed, files_unmodified, dirs_changed, dirs_unmodified } =
      second.summary;
    assert.deepEqual([files_new, files_changed, files_unmodified], [1, 1, 2]);
    assert.deepEqual([dirs_changed, dirs_unmodified], [2, 1]);
    assert.notEqual(second.treeId, first.treeId);
    assert.equal((await stored(store, second, "a/one")).toString(), "changed");
    await assert.rejects(stored(store, second, "b/three"), /not in the snapshot/);
  });

  it("gives the same tree with a parent as without one", async () => {
    const folder = newFolder({ "a/one": "1", "a/two": "2", "b/c/three": "3" });
    const store = await newStore();
    await run(store.sharing(), folderSource(folder));
    writeFileSync(join(folder, "b/c/three"), "other");
    const compared = await run(store.sharing(), folderSource(folder));
    const afresh = await run(store.sharing(), folderSource(folder), { useParent: false });
    assert.equal(compared.treeId, afresh.treeId);
  });

  it("stores the same when the source was walked ahead", async () => {
    const folder = newFolder({ "a/one": "1", "b/two": "2", "b/c/three": "3" });
    const store = await newStore();
    const plain = await run(store.sharing(), folderSource(folder));
    await using ahead = readAhead(folderSource(folder), new AbortController().signal);
    const result = await run(store.sharing(), ahead, { useParent: false });
    assert.equal(result.treeId, plain.treeId);
  });

  it("detects a change that size and mtime hide, unless told to ignore the ctime", async () => {
    const folder = newFolder({ file: "before" });
    const path = join(folder, "file");
    utimesSync(path, 1_600_000_000, 1_600_000_000);
    const store = await newStore();
    await run(store.sharing(), folderSource(folder));
    writeFileSync(path, "after!");
    utimesSync(path, 1_600_000_000, 1_600_000_000);
    const ignoring = { ignoreCtime: true, useParent: true };
    const ignored = await run(store.sharing(), folderSource(folder), ignoring);
    assert.equal((await stored(store, ignored, "file")).toString(), "before");
    await using repository = await open(store.sharing());
    const [original] = await listSnapshots(repository);
    const seen = await run(store.sharing(), folderSource(folder), {
      useParent: false,
      ...(original === undefined ? {} : { parent: original }),
    });
    assert.equal((await stored(store, seen, "file")).toString(), "after!");
  });

  it("writes nothing in a dry run, and no snapshot of an unchanged tree when asked", async () => {
    const folder = newFolder({ file: randomBytes(6 * MiB) });
    const store = await newStore();
    const before = store.contents().size;
    const dry = await run(store.sharing(), folderSource(folder), { dryRun: true });
    assert.equal(dry.snapshot, undefined);
    assert.ok(dry.summary.data_added > 6 * MiB);
    assert.equal(store.contents().size, before);
    const real = await run(store.sharing(), folderSource(folder));
    assert.notEqual(real.snapshot, undefined);
    const again = await run(store.sharing(), folderSource(folder), { skipIfUnchanged: true });
    assert.equal(again.snapshot, undefined);
  });
});

describe("a backup of a source that moves", () => {
  it("names what vanished after it was listed, and saves the rest", async () => {
    const folder = newFolder({ "a/gone": "x", "a/stays": "y", large: randomBytes(9 * MiB) });
    const source = folderSource(folder, (path) => {
      if (path.endsWith("/a")) rmSync(join(path, "gone"));
      else rmSync(join(folder, "large"));
    });
    const store = await newStore();
    const result = await run(store.sharing(), source);
    const paths = result.problems.map(({ path }) => path.slice(folder.length)).sort();
    assert.deepEqual(paths, ["/a/gone", "/large"]);
    assert.equal((await stored(store, result, "a/stays")).toString(), "y");
    await assert.rejects(stored(store, result, "a/gone"), /not in the snapshot/);
    await assertSound(store);
  });

  it("stores a file that changed between listing and reading as it is now", async () => {
    const folder = newFolder({ grown: "x", shrunk: "abcdef", huge: "h" });
    const huge = randomBytes(9 * MiB);
    const source = folderSource(folder, () => {
      appendFileSync(join(folder, "grown"), "yz");
      truncateSync(join(folder, "shrunk"), 3);
      writeFileSync(join(folder, "huge"), huge);
    });
    const store = await newStore();
    const result = await run(store.sharing(), source);
    assert.deepEqual(result.problems, []);
    assert.equal((await stored(store, result, "grown")).toString(), "xyz");
    assert.equal((await stored(store, result, "shrunk")).toString(), "abc");
    assert.ok((await stored(store, result, "huge")).equals(huge));
    // The node tells of the file as it was stored: the next run finds it unchanged.
    const next = await run(store.sharing(), folderSource(folder));
    assert.equal(next.summary.files_unmodified, 3);
  });
});

describe("a backup into a repository that fails or is damaged", () => {
  it("reads a file again whose blobs are gone, and so heals the repository", async () => {
    const folder = newFolder({ file: "precious" });
    const store = await newStore();
    const first = await run(store.sharing(), folderSource(folder));
    await using repository = await open(store.sharing());
    for await (const { name } of store.sharing().list("index")) {
      await store.sharing().remove({ type: "index", name });
    }
    const trees = repository.index.find("tree", first.treeId);
    assert.equal(trees.length, 1);
    const second = await run(store.sharing(), folderSource(folder));
    assert.equal(second.treeId, first.treeId);
    assert.equal((await stored(store, second, "file")).toString(), "precious");
    await assertSound(store);
  });

  it("takes no tree that waits to be deleted for a lost one, and stores it once more", async () => {
    const source = folderSource(newFolder({ "a/one": "1", "b/two": "2", "c/d/e/three": "3" }));
    const store = await newStore();
    const first = await run(store.sharing(), source);
    {
      await using repository = await open(store.sharing());
      for (const name of store.contents().get("index")?.keys() ?? []) {
        const packs = decodeIndexFile(await repository.loadUnpacked("index", name), name);
        const marked = packs.map((pack) => ({ ...pack, mark: { timeMs: 0, sizeBytes: 1000 } }));
        await repository.saveUnpacked("index", encodeIndexFile(marked));
        await repository.backend.remove({ type: "index", name });
      }
    }
    const second = await run(store.sharing(), source);
    assert.equal(second.problemCount, 0);
    assert.equal(second.treeId, first.treeId);
    assert.equal(second.summary.tree_blobs, first.summary.tree_blobs);
    assert.equal(second.summary.data_blobs, 3);
    const third = await run(store.sharing(), source);
    assert.equal(third.summary.files_unmodified, 3);
    assert.equal(third.summary.tree_blobs, 0);
    await assertSound(store);
  });

  it("fails when an upload fails, and the next run uses what was stored", async () => {
    const folder = newFolder({ a: randomBytes(5 * MiB, 1), b: randomBytes(5 * MiB, 2) });
    const store = await newStore();
    const faulty = new FaultyBackend(store.sharing());
    faulty.stage({ method: "save", type: "pack", fault: { kind: "error" }, when: 3 });
    await assert.rejects(run(faulty, folderSource(folder)), /staged failure/);
    const next = await run(store.sharing(), folderSource(folder));
    assert.equal(next.problemCount, 0);
    assert.ok(next.summary.data_added < 9 * MiB, "part of it was there already");
    await assertSound(store);
  });

  for (const lastCall of ["lost", "made"] as const) {
    it(`leaves a sound repository when it crashes at any call (the last one ${lastCall})`, async () => {
      const folder = newFolder({ a: randomBytes(5 * MiB, 3), "b/c": "small", "b/d": "other" });
      const origin = await newStore();
      for (let calls = 1; ; calls++) {
        const store = origin.clone();
        const faulty = new FaultyBackend(store.sharing()).crashAfter(calls, lastCall);
        const outcome = await run(faulty, folderSource(folder)).then(
          () => "done",
          () => "crashed",
        );
        await assertSound(store);
        const next = await run(store.sharing(), folderSource(folder));
        assert.equal((await stored(store, next, "b/c")).toString(), "small", `crash at ${calls}`);
        if (outcome === "done") {
          assert.ok(calls > 8, "the loop went through the writes of a backup");
          break;
        }
      }
    });
  }

  it("stops at once when it is aborted, and says what aborted it", async () => {
    const folder = newFolder({ a: randomBytes(30 * MiB, 4) });
    const store = await newStore();
    const controller = new AbortController();
    const source = folderSource(folder, () => {
      setTimeout(() => controller.abort(new Error("stopped by hand")), 30);
    });
    await assert.rejects(
      run(store.sharing(), source, { signal: controller.signal }),
      /stopped by hand/,
    );
    await assertSound(store);
    await using repository = await open(store.sharing());
    assert.deepEqual(await listSnapshots(repository), []);
  });
});
