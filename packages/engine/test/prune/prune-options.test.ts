import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { isComebackError } from "@comeback/core";
import { type MemoryBackend, SeededRandom } from "@comeback/testkit";
import { runTasksInThisThread } from "../../src/cpu-pool/in-this-thread.ts";
import { unusedBytesAllowed } from "../../src/prune/decide-packs.ts";
import { planPrune } from "../../src/prune/plan.ts";
import type { PruneOptions, PrunePlan } from "../../src/prune/prune-options.ts";
import { Repository } from "../../src/repository/repository.ts";
import {
  dataBlob,
  fileNode,
  type LooseBlob,
  RepositoryBuilder,
  TEST_PASSWORD,
  treeBlob,
} from "../repository-builder.ts";
import { assertWhole, contents, openAt, pruneAt, START_MS } from "./prune-fixture.ts";

let inThisThread: Disposable;
before(() => {
  inThisThread = runTasksInThisThread(new SeededRandom(7));
});
after(() => inThisThread[Symbol.dispose]());

function noise(seed: number, bytes: number): LooseBlob {
  return dataBlob(new SeededRandom(seed).fill(new Uint8Array(bytes)));
}

/** One pack for each pair of sizes: so much of it is used, so much is not. One tree for all. */
async function packsOf(
  shares: readonly (readonly [used: number, unused: number])[],
): Promise<RepositoryBuilder> {
  const builder = await RepositoryBuilder.create();
  const files = [];
  let seed = 100;
  for (const [used, unused] of shares) {
    const blobs = [];
    if (used > 0) {
      const blob = noise(seed++, used);
      files.push(fileNode(`file ${String(files.length).padStart(3, "0")}`, blob));
      blobs.push(blob);
    }
    if (unused > 0) blobs.push(noise(seed++, unused));
    await builder.index(await builder.pack(...blobs));
  }
  const tree = treeBlob(files);
  await builder.index(await builder.pack(tree));
  await builder.snapshot(tree);
  return builder;
}

async function planOf(
  backend: MemoryBackend,
  options: Partial<PruneOptions> = {},
): Promise<PrunePlan> {
  const repository = await openAt(backend.sharing(), START_MS);
  return (await planPrune({ repository, workers: 1, ...options })).plan;
}

const MiB = 1024 * 1024;

describe("what a prune repacks", () => {
  it("is bounded by the unused data that may stay, the worst packs first", async () => {
    // Above a 25th of a pack's size, below which packs are repacked whatever may stay.
    await using builder = await packsOf([
      [800_000, 0],
      [800_000, 20_000],
      [400_000, 200_000],
      [0, 300_000],
    ]);
    const { backend } = builder;
    const repacked = async (options: Partial<PruneOptions>): Promise<number[]> =>
      (await planOf(backend, options)).changes
        .filter(({ action }) => action === "repack")
        .map(({ sizeBytes }) => Math.round(sizeBytes / 10_000));
    assert.deepEqual(await repacked({ maxUnused: { kind: "unlimited" } }), []);
    assert.deepEqual(await repacked({}), [60], "5 % of 2 MB is more than what else is unused");
    assert.deepEqual(await repacked({ maxUnused: { kind: "size", sizeBytes: 0 } }), [82, 60]);
    assert.deepEqual(await repacked({ maxUnused: { kind: "size", sizeBytes: 250_000 } }), []);
    assert.deepEqual(
      await repacked({ maxUnused: { kind: "percentage", percentage: 0 } }),
      [82, 60],
    );
    assert.deepEqual(await repacked({ maxRepackBytes: 0 }), []);
    const all = { kind: "size", sizeBytes: 0 } as const;
    assert.deepEqual(await repacked({ maxUnused: all, maxRepackBytes: 700_000 }), [60]);
    assert.deepEqual(await repacked({ maxUnused: all, repackCacheableOnly: true }), []);
  });

  it("includes small packs where there are enough of them", async () => {
    for (const [count, repacked] of [
      [9, 0],
      [10, 10],
    ] as const) {
      const small = Array.from({ length: count }, () => [5_000, 0] as const);
      await using builder = await packsOf([...small, [400_000, 0]]);
      // The pack of the tree is small as well.
      const { packs } = await planOf(builder.backend, {});
      assert.equal(packs.repack, repacked === 0 ? 10 : 11, `${count} small ones and a tree`);
    }
    const middle = Array.from({ length: 10 }, () => [600_000, 0] as const);
    await using builder = await packsOf(middle);
    assert.equal((await planOf(builder.backend)).packs.repack, 0);
    const { packs } = await planOf(builder.backend, { repackSmall: true });
    assert.equal(packs.repack, 11);
    const before = await contents(builder.backend);
    const { result } = await pruneAt(builder.backend, START_MS, { repackSmall: true });
    assert.equal(result.packsWritten, 3, "two of 4 MiB and the trees");
    await assertWhole(builder.backend, "after putting packs together");
    assert.deepEqual(await contents(builder.backend), before);
  });

  it("includes what is not compressed where that is asked for, and trees always", async () => {
    const builder = await RepositoryBuilder.create();
    await using _ = builder;
    const plain = await Repository.open({
      backend: builder.backend.sharing(),
      password: TEST_PASSWORD,
      clock: builder.repository.clock,
      random: new SeededRandom(5),
      compression: "off",
    });
    const text = dataBlob("the same again and again ".repeat(2000));
    const target = new Uint8Array(100_000);
    const sealed = plain.codec.seal("data", Buffer.from(text.id, "hex"), text.plaintext, target);
    assert.equal(sealed.uncompressedLength, 0);
    const rawText = await builder.packSealed(text, target.slice(0, sealed.length));
    const tree = treeBlob([fileNode("text", text)]);
    const rawTree = await builder.packSealed(
      tree,
      builder.repository.codec.cipher.seal(tree.plaintext),
    );
    await builder.index(rawText, rawTree);
    await builder.snapshot(tree);
    const before = await contents(builder.backend);
    assert.equal((await planOf(builder.backend)).packs.repack, 1, "the tree");
    const options = { repackUncompressed: true };
    assert.equal((await planOf(builder.backend, options)).packs.repack, 2);
    await pruneAt(builder.backend, START_MS, { ...options, mode: "instant" });
    const index = await (await openAt(builder.backend, START_MS)).loadIndex();
    const [found] = index.find("data", text.id);
    assert.equal(found?.uncompressedLength, text.plaintext.length);
    assert.ok((found?.length ?? 0) < 1000);
    await assertWhole(builder.backend, "after the compression");
    assert.deepEqual(await contents(builder.backend), before);
  });

  it("cannot be compressed in version 1", async () => {
    await using builder = await RepositoryBuilder.create({ version: 1 });
    const plan = planOf(builder.backend, { repackUncompressed: true });
    await assert.rejects(plan, (error) => isComebackError(error, "option.invalid"));
  });
});

describe("a plan", () => {
  it("leaves out snapshots that are about to go, and is then not carried out", async () => {
    await using builder = await packsOf([[3 * MiB, 0]]);
    const [id] = await Array.fromAsync(builder.backend.list("snapshot"), ({ name }) => name);
    const plan = await planOf(builder.backend, { ignoreSnapshots: new Set([id as string]) });
    assert.deepEqual([plan.snapshots, plan.used.blobs, plan.packs.remove], [0, 0, 2]);
    assert.equal((await planOf(builder.backend)).packs.remove, 0);
  });

  it("is of an empty repository as well", async () => {
    const backend = await emptyStore();
    const { plan, result } = await pruneAt(backend, START_MS);
    assert.deepEqual(plan.changes, []);
    assert.equal(result.indexFilesWritten, 0);
  });

  it("counts the unused data that may stay as restic does", () => {
    assert.equal(unusedBytesAllowed({ kind: "percentage", percentage: 5 }, 1900), 100);
    assert.equal(unusedBytesAllowed({ kind: "percentage", percentage: 0 }, 1900), 0);
    assert.equal(unusedBytesAllowed({ kind: "size", sizeBytes: 7 }, 1900), 7);
    assert.equal(unusedBytesAllowed({ kind: "unlimited" }, 1900), Number.POSITIVE_INFINITY);
  });
});

async function emptyStore(): Promise<MemoryBackend> {
  await using builder = await RepositoryBuilder.create();
  return builder.backend.clone();
}
