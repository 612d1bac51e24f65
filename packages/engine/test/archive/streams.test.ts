import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ComebackError,
  type EntryContent,
  type EntryMetadata,
  type Source,
  type SourceEntry,
} from "@comeback/core";
import { systemClock } from "@comeback/platform";
import { MemoryBackend, SeededRandom } from "@comeback/testkit";
import { backup } from "../../src/archive/backup.ts";
import type { BackupResult } from "../../src/archive/backup-options.ts";
import { check } from "../../src/check/check.ts";
import { Repository } from "../../src/repository/repository.ts";
import { listSnapshots } from "../../src/repository/snapshots.ts";
import { CHEAP_SCRYPT, TEST_PASSWORD } from "../repository-builder.ts";

const SEED = 20_261_128;
const MiB = 1024 * 1024;
const common = { password: TEST_PASSWORD, clock: systemClock, random: new SeededRandom(SEED) };

type Stream = Extract<EntryContent, { readonly kind: "stream" }>;

async function newStore(): Promise<MemoryBackend> {
  const backend = new MemoryBackend();
  const options = { ...common, backend: backend.sharing(), scryptCost: CHEAP_SCRYPT };
  await using _repository = await Repository.init(options);
  return backend;
}

async function open(store: MemoryBackend): Promise<Repository> {
  const options = { ...common, backend: store.sharing(), packSizeBytes: 4 * MiB };
  const repository = await Repository.open(options);
  await repository.loadIndex();
  return repository;
}

function metadataOf(seconds: number, sizeBytes: number): EntryMetadata {
  const instant = { seconds, nanoseconds: 0 };
  const times = { mtime: instant, atime: instant, ctime: instant };
  const owner = { uid: 0, gid: 0, user: "", group: "", inode: 0, deviceId: 0 };
  return { type: "file", mode: 0o100600, ...times, ...owner, sizeBytes, links: 1 };
}

/** A source of streams, in the order of their names. */
function sourceOf(streams: Readonly<Record<string, Stream>>, seconds = 1, sizeBytes = 4): Source {
  const metadata = metadataOf(seconds, sizeBytes);
  const entries = Object.entries(streams).map(([name, content]): SourceEntry => ({
    name,
    path: `/${name}`,
    metadata,
    content,
  }));
  return {
    paths: ["/"],
    excludes: [],
    async open() {
      return { root: () => entries, list: () => [], async [Symbol.asyncDispose]() {} };
    },
  };
}

function streamOf(text: string, more: Partial<Stream> = {}): Stream {
  return {
    kind: "stream",
    async *open() {
      yield Buffer.from(text);
    },
    ...more,
  };
}

function failing(sizeBytes: number, more: Partial<Stream> = {}): Stream {
  return {
    kind: "stream",
    async *open() {
      yield new SeededRandom(SEED).bytes(sizeBytes);
      throw new ComebackError("command.failed", "pg_dump failed", { why: "exit code 1" });
    },
    ...more,
  };
}

async function run(store: MemoryBackend, source: Source): Promise<BackupResult> {
  await using repository = await open(store);
  const last = (await listSnapshots(repository)).at(-1);
  return await backup({
    repository,
    source,
    time: { seconds: 1_790_000_000, nanoseconds: 0 },
    hostname: "host",
    programVersion: "comeback test",
    readConcurrency: 2,
    ...(last === undefined ? {} : { parent: last }),
  });
}

async function namesIn(store: MemoryBackend, result: BackupResult): Promise<string[]> {
  await using repository = await open(store);
  return (await repository.loadTree(result.treeId)).map(({ name }) => name);
}

test("a stream of its own that fails leaves out its file, and all others are saved", async () => {
  for (const sizeBytes of [0, 9 * MiB, 21 * MiB]) {
    const store = await newStore();
    const streams = {
      a: streamOf("before"),
      b: failing(sizeBytes, { isolated: true }),
      c: streamOf("behind"),
    };
    const result = await run(store, sourceOf(streams));
    assert.deepEqual(await namesIn(store, result), ["a", "c"]);
    assert.deepEqual(result.problems, [
      { path: "/b", during: "read", message: "pg_dump failed: exit code 1" },
    ]);
    await using repository = await open(store);
    const { problems } = await check({ repository, readData: { kind: "all" }, workers: 1 });
    assert.deepEqual(problems, []);
  }
});

test("a file that failed this time is not taken from the snapshot before", async () => {
  const store = await newStore();
  await run(store, sourceOf({ a: streamOf("good"), b: streamOf("good") }));
  const streams = { a: streamOf("good"), b: failing(10, { isolated: true }) };
  assert.deepEqual(await namesIn(store, await run(store, sourceOf(streams))), ["a"]);
});

test("any other stream that fails ends the backup with its own error", async () => {
  const store = await newStore();
  await assert.rejects(run(store, sourceOf({ a: streamOf("x"), b: failing(9 * MiB) })), (error) => {
    assert.ok(error instanceof ComebackError);
    return error.message === "pg_dump failed";
  });
  await using repository = await open(store);
  assert.deepEqual(await listSnapshots(repository), []);
});

test("only a comparable stream is taken from the parent unread", async () => {
  const store = await newStore();
  const opened: string[] = [];
  const watched = (name: string, more: Partial<Stream>): Stream => ({
    kind: "stream",
    async *open() {
      opened.push(name);
      yield Buffer.from("same");
    },
    ...more,
  });
  const streams = { a: watched("a", { comparable: true }), b: watched("b", {}) };
  const first = await run(store, sourceOf(streams));
  const second = await run(store, sourceOf(streams));
  assert.deepEqual(opened, ["a", "b", "b"]);
  assert.equal(second.treeId, first.treeId);
  await run(store, sourceOf(streams, 2));
  assert.deepEqual(opened, ["a", "b", "b", "a", "b"], "another time is another content");
});

test("what differs in a header of its own makes nothing new behind it", async () => {
  const random = new SeededRandom(SEED);
  const header = 64;
  for (const sizeBytes of [0, 1, header, header + 1, 600_000, 17 * MiB]) {
    const store = await newStore();
    const bytes = random.bytes(sizeBytes);
    const stream = (content: Uint8Array): Stream => ({
      kind: "stream",
      headerBytes: header,
      async *open() {
        // In pieces that end inside the header, too.
        yield content.subarray(0, 10);
        yield content.subarray(10);
      },
    });
    await run(store, sourceOf({ a: stream(bytes) }));
    const changed = bytes.slice();
    if (sizeBytes > 0) changed[0]! ^= 1;
    const { summary, treeId } = await run(store, sourceOf({ a: stream(changed) }));
    assert.equal(summary.data_blobs, sizeBytes === 0 ? 0 : 1, `${sizeBytes} bytes`);
    await using repository = await open(store);
    const [node] = await repository.loadTree(treeId);
    const parts: Uint8Array[] = [];
    for (const id of node?.content ?? []) parts.push(await repository.loadBlob("data", id));
    assert.ok(Buffer.concat(parts).equals(changed), `${sizeBytes} bytes`);
    assert.equal(parts[0]?.length ?? 0, Math.min(sizeBytes, header));
  }
});
