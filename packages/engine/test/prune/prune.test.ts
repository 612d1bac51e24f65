import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { isComebackError } from "@comeback/core";
import { FaultyBackend, type MemoryBackend, SeededRandom } from "@comeback/testkit";
import { runTasksInThisThread } from "../../src/cpu-pool/in-this-thread.ts";
import type { IndexedPack } from "../../src/index/index-file.ts";
import { executePrune } from "../../src/prune/execute.ts";
import { planPrune } from "../../src/prune/plan.ts";
import type { PruneMode } from "../../src/prune/prune-options.ts";
import { RepositoryLock } from "../../src/repository/lock.ts";
import type { Snapshot } from "../../src/snapshot/snapshot.ts";
import {
  dataBlob,
  fileNode,
  flipBit,
  folderNode,
  type LooseBlob,
  RepositoryBuilder,
  treeBlob,
} from "../repository-builder.ts";
import {
  assertWhole,
  checkAll,
  contents,
  HOUR_MS,
  names,
  openAt,
  pruneAt,
  START_MS,
} from "./prune-fixture.ts";

let inThisThread: Disposable;
before(() => {
  inThisThread = runTasksInThisThread(new SeededRandom(7));
});
after(() => inThisThread[Symbol.dispose]());

/** Bytes that do not compress. */
function noise(seed: number, bytes = 3000): LooseBlob {
  return dataBlob(new SeededRandom(seed).fill(new Uint8Array(bytes)));
}

interface Scene {
  readonly builder: RepositoryBuilder;
  readonly kept: Snapshot;
  readonly blobs: Readonly<Record<"both" | "kept" | "gone" | "gone2", LooseBlob>>;
  readonly packs: Readonly<Record<"mixed" | "whole" | "unused" | "trees", IndexedPack>>;
}

/** Two snapshots, of which the second was forgotten: packs that are whole, partly and not needed. */
async function scene(version: 1 | 2 = 2): Promise<Scene> {
  const builder = await RepositoryBuilder.create({ version });
  const blobs = { both: noise(1), kept: noise(2), gone: noise(3), gone2: noise(4) };
  const inner = treeBlob([fileNode("kept", blobs.kept)]);
  const tree = treeBlob([fileNode("both", blobs.both), folderNode("folder", inner)]);
  const lost = treeBlob([fileNode("gone", blobs.gone), fileNode("gone2", blobs.gone2)]);
  const packs = {
    mixed: await builder.pack(blobs.gone, blobs.both),
    whole: await builder.pack(blobs.kept),
    unused: await builder.pack(blobs.gone2),
    trees: await builder.pack(inner, tree, lost),
  };
  await builder.index(packs.mixed, packs.whole);
  await builder.index(packs.unused, packs.trees);
  return { builder, kept: await builder.snapshot(tree), blobs, packs };
}

const has = (list: readonly string[], pack: IndexedPack): boolean => list.includes(pack.id);

describe("a prune in two phases", () => {
  it("copies what is used, marks what is not, and deletes it once its time has come", async () => {
    const { builder, packs } = await scene();
    await using _ = builder;
    const { backend } = builder;
    const before = await contents(backend);
    const first = await pruneAt(backend, START_MS);
    const actions = new Map(first.plan.changes.map(({ id, action }) => [id, action]));
    assert.equal(actions.size, 3);
    assert.equal(actions.get(packs.mixed.id), "repack");
    assert.equal(actions.get(packs.trees.id), "repack");
    assert.equal(actions.get(packs.unused.id), "remove");
    assert.deepEqual([first.result.packsMarked, first.result.packsDeleted], [3, 0]);
    assert.equal((await names(backend, "pack")).length, 6, "nothing is deleted yet");
    const marked = (await checkAll(backend)).hints.map(({ kind, count }) => [kind, count]);
    assert.deepEqual(marked, [["pack-marked", 3]]);
    await assertWhole(backend, "after the marking");

    const early = await pruneAt(backend, START_MS + 22 * HOUR_MS);
    assert.deepEqual([early.plan.packs.wait, early.result.packsDeleted], [3, 0]);
    assert.equal(early.result.indexFilesWritten, 0, "nothing is to be done");

    const late = await pruneAt(backend, START_MS + 24 * HOUR_MS);
    assert.deepEqual([late.plan.packs.delete, late.result.packsDeleted], [3, 3]);
    assert.equal((await names(backend, "pack")).length, 3);
    assert.deepEqual((await checkAll(backend)).hints, []);
    assert.deepEqual(await contents(backend), before);
  });

  it("copies the very box of a blob", async () => {
    const { builder, packs, blobs } = await scene();
    await using _ = builder;
    const { backend } = builder;
    const place = packs.mixed.blobs.find(({ id }) => id === blobs.both.id);
    assert.ok(place !== undefined);
    const range = { offset: place.offset, length: place.length };
    const box = await backend.load({ type: "pack", name: packs.mixed.id }, range);
    await pruneAt(backend, START_MS);
    const repository = await openAt(backend, START_MS);
    const index = await repository.loadIndex();
    const [found] = index.find("data", blobs.both.id);
    assert.ok(found !== undefined && found.packId !== packs.mixed.id);
    const copy = await backend.load({ type: "pack", name: found.packId }, found);
    assert.deepEqual(Buffer.from(copy).toString("hex"), Buffer.from(box).toString("hex"));
  });

  it("takes a marked pack back that a backup beside it built on", async () => {
    const { builder, packs, blobs } = await scene();
    await using _ = builder;
    const { backend } = builder;
    await pruneAt(backend, START_MS);
    // It had read the index before, and so did not store `gone` and `gone2` again.
    const tree = treeBlob([fileNode("a", blobs.gone), fileNode("b", blobs.gone2)]);
    await builder.index(await builder.pack(tree));
    await builder.snapshot(tree);
    await assertWhole(backend, "what reads finds blobs of marked packs");
    const next = await pruneAt(backend, START_MS + 48 * HOUR_MS);
    assert.equal(next.plan.packs.recover, 2);
    assert.equal(next.result.packsRecovered, 2);
    const left = await names(backend, "pack");
    assert.ok(has(left, packs.mixed) && has(left, packs.unused) && !has(left, packs.trees));
    const repository = await openAt(backend, START_MS);
    const index = await repository.loadIndex();
    assert.ok(index.has("data", blobs.gone.id), "for everyone, restic included");
    await assertWhole(backend, "after the recovery");
    await pruneAt(backend, START_MS + 49 * HOUR_MS);
    await pruneAt(backend, START_MS + 99 * HOUR_MS);
    await assertWhole(backend, "at the end");
  });

  it("looks at snapshots that appear between plan and execution", async () => {
    const { builder, packs, blobs } = await scene();
    await using _ = builder;
    const { backend } = builder;
    const repository = await openAt(backend, START_MS);
    const prepared = await planPrune({ repository, workers: 1 });
    assert.ok(
      prepared.plan.changes.some(({ id, action }) => id === packs.unused.id && action === "remove"),
    );
    const tree = treeBlob([fileNode("b", blobs.gone2)]);
    await builder.index(await builder.pack(tree));
    await builder.snapshot(tree);
    const result = await executePrune(prepared);
    assert.equal(result.packsMarked, prepared.plan.packs.repack);
    const index = await (await openAt(backend, START_MS)).loadIndex();
    assert.ok(index.has("data", blobs.gone2.id));
    await assertWhole(backend, "after the execution");
  });

  it("keeps what a new snapshot needs of packs whose time has come", async () => {
    const { builder, packs, blobs } = await scene();
    await using _ = builder;
    const { backend } = builder;
    await pruneAt(backend, START_MS);
    const repository = await openAt(backend, START_MS + 24 * HOUR_MS);
    const prepared = await planPrune({ repository, workers: 1 });
    assert.equal(prepared.plan.packs.delete, 3);
    const tree = treeBlob([fileNode("b", blobs.gone2)]);
    await builder.index(await builder.pack(tree));
    await builder.snapshot(tree);
    const result = await executePrune(prepared);
    assert.deepEqual([result.packsDeleted, result.packsRecovered], [2, 1]);
    assert.ok(has(await names(backend, "pack"), packs.unused));
    await assertWhole(backend, "after the execution");
  });

  it("deletes nothing that somebody at work since before may have seen as in use", async () => {
    const { builder } = await scene();
    await using _ = builder;
    const { backend } = builder;
    const writer = await openAt(backend, START_MS);
    const { clock } = writer;
    const lock = await RepositoryLock.acquire(writer, { exclusive: false, clock });
    await pruneAt(backend, START_MS + 60_000);
    // The lock is a day old, and would be stale if it had not been written anew.
    const [name] = await Array.fromAsync(backend.list("lock"), (file) => file.name);
    const json = JSON.parse(
      Buffer.from(await writer.loadUnpacked("lock", name as string)).toString(),
    ) as Record<string, unknown>;
    const nowMs = START_MS + 30 * HOUR_MS;
    json["time"] = new Date(nowMs).toISOString();
    await backend.remove({ type: "lock", name: name as string });
    const fresh = await writer.saveUnpacked("lock", Buffer.from(JSON.stringify(json)));
    const beside = await pruneAt(backend, nowMs);
    assert.deepEqual([beside.plan.postponed, beside.result.packsDeleted], [3, 0]);
    assert.match(beside.plan.postponedFor ?? "", /^process \d+ on /);
    await backend.remove({ type: "lock", name: fresh });
    await lock[Symbol.asyncDispose]();
    assert.equal((await pruneAt(backend, nowMs)).result.packsDeleted, 3);
  });

  it("gives a pack that no index lists the same time", async () => {
    const { builder, blobs } = await scene();
    await using _ = builder;
    const { backend } = builder;
    await pruneAt(backend, START_MS);
    const later = noise(11);
    const orphan = await builder.pack(later);
    await builder.repository.backend.save(
      { type: "pack", name: "ab".repeat(32) },
      Buffer.from("half a pack"),
    );
    const second = await pruneAt(backend, START_MS + HOUR_MS);
    assert.deepEqual([second.plan.packs.adopt, second.result.packsMarked], [2, 2]);
    await assertWhole(backend, "with marked orphans");
    // The backup that had stored it goes on: it is in use, whatever was marked.
    const tree = treeBlob([fileNode("both", blobs.both), fileNode("later", later)]);
    await builder.index(orphan, await builder.pack(tree));
    await builder.snapshot(tree);
    const third = await pruneAt(backend, START_MS + 48 * HOUR_MS);
    assert.equal(third.result.packsDeleted, 4);
    assert.ok(has(await names(backend, "pack"), orphan));
    await assertWhole(backend, "at the end");
    assert.deepEqual((await checkAll(backend)).hints, []);
  });

  it("does not take a pack for missing that the list does not show yet", async () => {
    const { builder, packs } = await scene();
    await using _ = builder;
    const backend = builder.backend.sharing();
    const list = backend.list.bind(backend);
    backend.list = async function* (type, options) {
      for await (const file of list(type, options)) if (file.name !== packs.unused.id) yield file;
    };
    // Its index entry would be dropped, and whoever stored it may just be writing a snapshot.
    const { plan } = await pruneAt(backend, START_MS);
    assert.equal(plan.packs.drop, 0);
    const unused = plan.changes.find(({ id }) => id === packs.unused.id);
    assert.equal(unused?.action, "remove");
  });
});

describe("a prune at once", () => {
  it("leaves what is used, and nothing else", async () => {
    const { builder, packs } = await scene();
    await using _ = builder;
    const { backend } = builder;
    const orphan = await builder.pack(noise(12));
    const before = await contents(backend);
    const { plan, result } = await pruneAt(backend, START_MS, { mode: "instant" });
    assert.equal(plan.mode, "instant");
    assert.deepEqual([result.packsDeleted, result.packsMarked], [4, 0]);
    const left = await names(backend, "pack");
    assert.equal(left.length, 3);
    assert.ok(has(left, packs.whole) && !has(left, orphan));
    assert.deepEqual((await checkAll(backend)).hints, []);
    assert.deepEqual(await contents(backend), before);
  });

  it("deletes what was marked, whenever that was", async () => {
    const { builder } = await scene();
    await using _ = builder;
    await pruneAt(builder.backend, START_MS);
    const { result } = await pruneAt(builder.backend, START_MS, { mode: "instant" });
    assert.equal(result.packsDeleted, 3);
    await assertWhole(builder.backend, "at the end");
  });
});

describe("a prune refuses", () => {
  const refused = async (backend: MemoryBackend, pattern: RegExp): Promise<void> => {
    const before = backend.contents();
    await assert.rejects(pruneAt(backend, START_MS), (error) => {
      assert.ok(isComebackError(error, "repository.damaged"), String(error));
      assert.match(`${error.message} ${error.why ?? ""}`, pattern);
      return true;
    });
    assert.deepEqual(backend.contents(), before, "nothing is changed");
  };

  it("where a blob or tree is missing from the index", async () => {
    const { builder } = await scene();
    await using _ = builder;
    await builder.snapshot(treeBlob([fileNode("x", noise(20))]));
    await refused(builder.backend, /lacks data that snapshots need/);
    const tree = treeBlob([fileNode("x", noise(20))]);
    await builder.index(await builder.pack(tree));
    await refused(builder.backend, /lacks data.*data blob/);
  });

  it("where a pack that is needed is missing or cut off", async () => {
    for (const change of ["missing", "short"] as const) {
      const { builder, packs } = await scene();
      await using _ = builder;
      const file = { type: "pack", name: packs.whole.id } as const;
      if (change === "missing") await builder.backend.remove(file);
      else builder.damage("pack", packs.whole.id, (bytes) => bytes.subarray(0, -1));
      await refused(builder.backend, change === "missing" ? /is missing/ : /is damaged/);
    }
  });

  it("where a tree or a snapshot is damaged", async () => {
    const { builder, packs, kept } = await scene();
    await using _ = builder;
    builder.damage("pack", packs.trees.id, flipBit(30));
    await refused(builder.backend, /damaged/);
    builder.damage("pack", packs.trees.id, flipBit(30));
    builder.damage("snapshot", kept.id, flipBit(30));
    await refused(builder.backend, /damaged/);
  });

  it("where a blob that is to be copied is damaged, and removes nothing", async () => {
    const { builder, packs } = await scene();
    await using _ = builder;
    // `both` stands behind `gone`.
    builder.damage("pack", packs.mixed.id, flipBit(packs.mixed.blobs[1]!.offset + 40));
    const before = await names(builder.backend, "pack");
    await assert.rejects(pruneAt(builder.backend, START_MS), (error) =>
      isComebackError(error, "repository.damaged"),
    );
    const left = await names(builder.backend, "pack");
    assert.deepEqual(
      before.filter((name) => !left.includes(name)),
      [],
    );
  });
});

describe("a blob that stands in several packs", () => {
  it("is kept once, and copied from where it is intact", async () => {
    const { builder, packs, blobs } = await scene();
    await using _ = builder;
    builder.damage("pack", packs.mixed.id, flipBit(packs.mixed.blobs[1]!.offset + 40));
    const twin = await builder.pack(blobs.both, noise(30), noise(31));
    await builder.index(twin);
    const { result } = await pruneAt(builder.backend, START_MS, { mode: "instant" });
    assert.ok(result.packsRepacked >= 2);
    await assertWhole(builder.backend, "after the prune");
    const index = await (await openAt(builder.backend, START_MS)).loadIndex();
    assert.equal(index.find("data", blobs.both.id).length, 1);
  });
});

describe("an interrupted prune", () => {
  /** Stops it at every call in turn; `backend` stays as it is. */
  async function crashAtEveryCall(
    backend: MemoryBackend,
    nowMs: number,
    mode: PruneMode,
  ): Promise<void> {
    const before = await contents(backend);
    const counting = new FaultyBackend(backend.clone());
    await pruneAt(counting, nowMs, { mode });
    const calls = counting.calls.length;
    assert.ok(calls > 20, `${calls} calls`);
    for (let last = 1; last <= calls; last++) {
      for (const fate of ["lost", "made"] as const) {
        const what = `after ${last} of ${calls} calls, the last one ${fate}`;
        const store = backend.clone();
        const crashing = new FaultyBackend(store.sharing()).crashAfter(last, fate);
        await pruneAt(crashing, nowMs, { mode }).catch(() => {});
        assert.deepEqual(await contents(store), before, what);
        assert.deepEqual((await checkAll(store)).problems, [], what);
        await pruneAt(store, nowMs, { mode });
        assert.deepEqual((await checkAll(store)).problems, [], `${what}, and the next prune`);
        assert.deepEqual(await contents(store), before, what);
      }
    }
  }

  for (const mode of ["two-phase", "instant"] as const) {
    it(`leaves everything that is used, whichever call is the last (${mode})`, async () => {
      const { builder } = await scene();
      await using _ = builder;
      await builder.pack(noise(40));
      await crashAtEveryCall(builder.backend, START_MS, mode);
    });

    it(`so does one that has to mark, to delete and to take back (${mode})`, async () => {
      const { builder, blobs } = await scene();
      await using _ = builder;
      await builder.pack(noise(40));
      await pruneAt(builder.backend, START_MS);
      const tree = treeBlob([fileNode("b", blobs.gone2)]);
      await builder.index(await builder.pack(noise(41)), await builder.pack(tree));
      await builder.snapshot(tree);
      await crashAtEveryCall(builder.backend, START_MS + 24 * HOUR_MS, mode);
    });
  }
});
