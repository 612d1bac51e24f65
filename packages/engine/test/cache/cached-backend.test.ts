import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { appendFileSync, truncateSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { ComebackError, RepositoryFile } from "@comeback/core";
import {
  backendConformance,
  FaultyBackend,
  MemoryBackend,
  SeededRandom,
  SimulatedClock,
} from "@comeback/testkit";
import { cachedBackend, type CachedBackend } from "../../src/cache/cached-backend.ts";
import { cacheFolder } from "./cache-folder.ts";

const REPOSITORY = "5".repeat(64);
const FOLDERS = { index: "index", snapshot: "snapshots", pack: "data" } as const;
const TYPES = ["index", "snapshot", "pack"] as const;

type Stored = { file: RepositoryFile & { type: (typeof TYPES)[number] }; data: Uint8Array };

class Setup implements Disposable {
  readonly directory: string;
  readonly memory: MemoryBackend = new MemoryBackend();
  readonly clock: SimulatedClock = new SimulatedClock();
  readonly warnings: ComebackError[] = [];
  readonly random: SeededRandom = new SeededRandom(5);
  readonly #folder: Disposable & { path: string } = cacheFolder();

  constructor(directory?: string) {
    this.directory = directory ?? join(this.#folder.path, "cache");
  }

  /** A client with the cache, and what reaches the original. */
  async open(maxBytes?: number): Promise<{ backend: CachedBackend; original: FaultyBackend }> {
    const original = new FaultyBackend(this.memory.sharing());
    const { directory, clock } = this;
    const backend = await cachedBackend(original, {
      directory,
      repositoryId: REPOSITORY,
      clock,
      ...(maxBytes === undefined ? {} : { maxBytes }),
      onWarning: (warning) => this.warnings.push(warning),
    });
    return { backend, original };
  }

  /** Puts a file into the original only, under the name that its content gives it. */
  async add(type: Stored["file"]["type"], sizeBytes = 1000): Promise<Stored> {
    const data = this.random.bytes(sizeBytes);
    const name = createHash("sha256").update(data).digest("hex");
    await this.memory.save({ type, name }, data);
    return { file: { type, name }, data };
  }

  pathOf(file: Stored["file"]): string {
    return join(this.directory, REPOSITORY, FOLDERS[file.type], file.name);
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}

/** Loads whole as the engine does: tree packs are announced. */
async function loadWhole(backend: CachedBackend, { file }: Stored): Promise<Uint8Array> {
  backend.cacheable(file);
  return backend.load(file);
}

backendConformance("memory behind a cache", async () => {
  const setup = new Setup();
  const { backend } = await setup.open();
  return {
    backend,
    another: async () => (await setup.open()).backend,
    async [Symbol.asyncDispose]() {
      await backend[Symbol.asyncDispose]();
      setup[Symbol.dispose]();
    },
  };
});

describe("what is cached", () => {
  test("index, snapshot and tree packs are fetched once, also by later processes", async () => {
    using setup = new Setup();
    const files = await Promise.all(TYPES.map((type) => setup.add(type)));
    for (const expectedCalls of [TYPES.length, 0]) {
      const { backend, original } = await setup.open();
      for (const stored of [...files, ...files]) {
        assert.deepEqual(Buffer.from(await loadWhole(backend, stored)), Buffer.from(stored.data));
      }
      assert.equal(original.calls.length, expectedCalls);
      await backend[Symbol.asyncDispose]();
    }
    assert.deepEqual(setup.warnings, []);
  });

  test("a part of a tree pack brings the whole; of other packs only that part", async () => {
    using setup = new Setup();
    const [tree, data] = [await setup.add("pack", 5000), await setup.add("pack", 5000)];
    const { backend, original } = await setup.open();
    backend.cacheable(tree.file);
    for (const { file, data: bytes } of [tree, data]) {
      for (const [offset, length] of [
        [0, 10],
        [4990, 10],
        [100, 4000],
      ] as const) {
        const part = await backend.load(file, { offset, length });
        assert.deepEqual(Buffer.from(part), Buffer.from(bytes.subarray(offset, offset + length)));
      }
    }
    const loads = original.calls.map(({ name }) => name);
    assert.deepEqual(loads, [tree.file.name, ...Array.from({ length: 3 }, () => data.file.name)]);
    assert.ok(existsSync(setup.pathOf(tree.file)));
    assert.ok(!existsSync(setup.pathOf(data.file)));
  });

  test("what was saved or stored is not fetched", async () => {
    using setup = new Setup();
    const pack = await setup.add("pack");
    const index = await setup.add("index");
    await setup.memory.remove(index.file);
    const first = await setup.open();
    await first.backend.save(index.file, index.data);
    first.backend.store(pack.file, pack.data);
    await first.backend[Symbol.asyncDispose]();
    const { backend, original } = await setup.open();
    for (const stored of [pack, index]) {
      assert.deepEqual(Buffer.from(await loadWhole(backend, stored)), Buffer.from(stored.data));
    }
    assert.deepEqual(original.calls, []);
    await backend[Symbol.asyncDispose]();
  });

  test("several loads at once fetch once; an aborted one does not spoil the others", async () => {
    using setup = new Setup();
    const stored = await setup.add("pack", 5000);
    const { backend, original } = await setup.open();
    backend.cacheable(stored.file);
    const ranges = Array.from({ length: 10 }, (_, i) => ({ offset: i * 500, length: 500 }));
    const parts = await Promise.all(ranges.map((range) => backend.load(stored.file, range)));
    assert.deepEqual(Buffer.concat(parts), Buffer.from(stored.data));
    assert.equal(original.calls.length, 1);

    const index = await setup.add("index");
    const controller = new AbortController();
    const aborted = backend.load(index.file, { signal: controller.signal });
    const other = backend.load(index.file);
    await Promise.resolve();
    controller.abort(new Error("stop"));
    await assert.rejects(aborted, /stop/);
    assert.deepEqual(Buffer.from(await other), Buffer.from(index.data));
  });

  test("a failure of the original is passed on, and its damage never cached", async () => {
    using setup = new Setup();
    for (const type of TYPES) {
      const stored = await setup.add(type);
      const { backend, original } = await setup.open();
      original.stage({ method: "load", fault: { kind: "error" } });
      original.stage({ method: "load", fault: { kind: "flip", atByte: 7 }, when: 2 });
      await assert.rejects(loadWhole(backend, stored), { code: "backend.io" });
      assert.notDeepEqual(Buffer.from(await loadWhole(backend, stored)), Buffer.from(stored.data));
      assert.ok(!existsSync(setup.pathOf(stored.file)));
      assert.deepEqual(Buffer.from(await loadWhole(backend, stored)), Buffer.from(stored.data));
      assert.ok(existsSync(setup.pathOf(stored.file)));
    }
  });
});

/** What may happen to a file in a cache. */
const DAMAGES: Readonly<Record<string, (path: string) => void>> = {
  "first byte": (path) => flip(path, 0),
  "middle byte": (path) => flip(path, 500),
  "last byte": (path) => flip(path, 999),
  truncated: (path) => truncateSync(path, 700),
  empty: (path) => truncateSync(path, 0),
  extended: (path) => appendFileSync(path, "more"),
  "a folder": (path) => {
    rmSync(path);
    mkdirSync(path);
  },
  "a symlink": (path) => {
    rmSync(path);
    symlinkSync("/dev/zero", path);
  },
  "a fifo": (path) => {
    rmSync(path);
    execFileSync("mkfifo", [path]);
  },
  "another file": (path) => writeFileSync(path, Buffer.alloc(1000, 1)),
};

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 0x10;
  writeFileSync(path, bytes);
}

describe("a damaged cache", () => {
  for (const [what, damage] of Object.entries(DAMAGES)) {
    test(`${what}: index and snapshot files are right nevertheless`, async () => {
      using setup = new Setup();
      for (const type of ["index", "snapshot"] as const) {
        const stored = await setup.add(type);
        const { backend, original } = await setup.open();
        await loadWhole(backend, stored);
        damage(setup.pathOf(stored.file));
        assert.deepEqual(Buffer.from(await loadWhole(backend, stored)), Buffer.from(stored.data));
        assert.equal(original.calls.length, 2);
      }
    });

    test(`${what}: a tree pack is right after \`forget\``, async () => {
      using setup = new Setup();
      const stored = await setup.add("pack");
      const first = await setup.open();
      await loadWhole(first.backend, stored);
      damage(setup.pathOf(stored.file));
      const { backend } = await setup.open();
      backend.cacheable(stored.file);
      const range = { offset: 0, length: 1000 };
      const read = await backend.load(stored.file, range);
      assert.equal(read.byteLength, 1000);
      backend.forget(stored.file);
      const again = await backend.load(stored.file, range);
      assert.deepEqual(Buffer.from(again), Buffer.from(stored.data));
      await backend[Symbol.asyncDispose]();
      // A later process starts afresh with that file.
      const later = await setup.open();
      assert.deepEqual(
        Buffer.from(await loadWhole(later.backend, stored)),
        Buffer.from(stored.data),
      );
    });
  }
});

describe("what is removed", () => {
  test("files that are gone from the repository go with a complete list", async () => {
    using setup = new Setup();
    for (const type of TYPES) {
      const [kept, gone] = [await setup.add(type), await setup.add(type)];
      const { backend } = await setup.open();
      await loadWhole(backend, kept);
      await loadWhole(backend, gone);
      await setup.memory.remove(gone.file);
      for await (const file of backend.list(type)) {
        assert.equal(file.name, kept.file.name);
        break;
      }
      assert.ok(existsSync(setup.pathOf(gone.file)), "an incomplete list proves nothing");
      const saved = await setup.add(type);
      for await (const file of backend.list(type)) {
        if (file.name === kept.file.name) await loadWhole(backend, saved);
      }
      assert.ok(!existsSync(setup.pathOf(gone.file)));
      assert.ok(existsSync(setup.pathOf(kept.file)));
      assert.ok(existsSync(setup.pathOf(saved.file)));
    }
  });

  test("removing a file, or finding it gone, removes it from the cache", async () => {
    using setup = new Setup();
    const [removed, missing] = [await setup.add("index"), await setup.add("index")];
    const { backend } = await setup.open();
    await loadWhole(backend, removed);
    await loadWhole(backend, missing);
    await backend.remove(removed.file);
    await setup.memory.remove(missing.file);
    await assert.rejects(backend.stat(missing.file), { code: "backend.not-found" });
    for (const stored of [removed, missing]) {
      assert.ok(!existsSync(setup.pathOf(stored.file)));
      await assert.rejects(loadWhole(backend, stored), { code: "backend.not-found" });
    }
  });

  test("what was used longest ago goes first, until the rest fits", async () => {
    using setup = new Setup();
    const maxBytes = 10_000;
    const stored: Stored[] = [];
    for (let i = 0; i < 9; i++) {
      const { backend } = await setup.open(maxBytes);
      stored.push(await setup.add("snapshot"));
      await loadWhole(backend, stored[i]!);
      await setup.clock.advance(2 * 3_600_000);
      await backend[Symbol.asyncDispose]();
    }
    const { backend } = await setup.open(maxBytes);
    await loadWhole(backend, stored[0]!);
    await setup.clock.advance(1000);
    await loadWhole(backend, await setup.add("index", 3000));
    await backend[Symbol.asyncDispose]();
    const there = stored.map(({ file }) => existsSync(setup.pathOf(file)));
    assert.deepEqual(there, [true, false, false, ...Array.from({ length: 6 }, () => true)]);
  });

  test("a file that is larger than the whole cache is left out", async () => {
    using setup = new Setup();
    const stored = await setup.add("pack", 5000);
    const { backend, original } = await setup.open(4000);
    for (let i = 0; i < 2; i++) await loadWhole(backend, stored);
    assert.ok(!existsSync(setup.pathOf(stored.file)));
    await backend.load(stored.file, { offset: 3, length: 4 });
    assert.equal(original.calls.length, 3);
    assert.deepEqual(setup.warnings, []);
  });

  test("a cache that somebody removed meanwhile is made again", async () => {
    using setup = new Setup();
    const { backend } = await setup.open();
    rmSync(setup.directory, { recursive: true });
    const stored = await setup.add("index");
    assert.deepEqual(Buffer.from(await loadWhole(backend, stored)), Buffer.from(stored.data));
    assert.ok(existsSync(setup.pathOf(stored.file)));
    assert.deepEqual(setup.warnings, []);
  });
});

test("two clients share one cache at the same time", async () => {
  using setup = new Setup();
  const files: Stored[] = [];
  for (let i = 0; i < 30; i++) files.push(await setup.add(TYPES[i % 3]!, 20_000));
  const clients = [await setup.open(), await setup.open()];
  await Promise.all(
    clients.map(async ({ backend }, which) => {
      for (let i = 0; i < 90; i++) {
        const stored = files[setup.random.integer(0, 29)]!;
        const data = await loadWhole(backend, stored);
        assert.deepEqual(Buffer.from(data), Buffer.from(stored.data));
        if (i % 10 === which) backend.store(stored.file, stored.data);
      }
      await backend[Symbol.asyncDispose]();
    }),
  );
  const left = readdirSync(join(setup.directory, REPOSITORY), { recursive: true });
  assert.deepEqual(
    left.filter((name) => String(name).includes(".")),
    [],
  );
});

test("a cache that cannot be written: one warning, and the work goes on", async () => {
  using file = cacheFolder();
  writeFileSync(join(file.path, "taken"), "");
  for (const directory of [join(file.path, "taken"), "/proc/comeback"]) {
    using setup = new Setup(directory);
    const { backend, original } = await setup.open();
    for (const type of TYPES) {
      const stored = await setup.add(type);
      for (let i = 0; i < 2; i++) {
        assert.deepEqual(Buffer.from(await loadWhole(backend, stored)), Buffer.from(stored.data));
      }
      backend.store(stored.file, stored.data);
    }
    // Of a pack only what is asked for is fetched, since the rest could not be kept.
    assert.equal(original.calls.length, 6);
    await backend[Symbol.asyncDispose]();
    assert.equal(setup.warnings.length, 1);
    assert.equal(setup.warnings[0]?.code, "cache.unusable");
    assert.match(String(setup.warnings[0]?.next), /--no-cache/);
  }
});
