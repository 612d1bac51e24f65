import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FaultyBackend } from "@comeback/testkit";
import { loadSnapshot } from "../../src/repository/snapshots.ts";
import type { Repository } from "../../src/repository/repository.ts";
import { repairSnapshots, type SnapshotRepairResult } from "../../src/repair/repair-snapshots.ts";
import {
  planSnapshotRepair,
  type PlanSnapshotRepairOptions,
  type SnapshotRepairPlan,
} from "../../src/repair/snapshot-repair-plan.ts";
import { HOLD_TAG } from "../../src/snapshot/hold.ts";
import {
  dataBlob,
  fileNode,
  flipBit,
  folderNode,
  node,
  RepositoryBuilder,
  treeBlob,
} from "../repository-builder.ts";
import { listed, makeSample, problems, runRepairIndex } from "./sample.ts";

type Wish = Omit<PlanSnapshotRepairOptions, "repository">;

function plan(repository: Repository, wish: Wish = {}): Promise<SnapshotRepairPlan> {
  return planSnapshotRepair({ repository, ...wish });
}

async function run(repository: Repository, wish: Wish = {}): Promise<SnapshotRepairResult> {
  return repairSnapshots({ repository, plan: await plan(repository, wish) });
}

describe("repair snapshots", () => {
  it("has nothing to do where nothing is wrong", async () => {
    const { builder } = await makeSample();
    const { snapshots, isNeeded } = await plan(builder.repository);
    assert.deepEqual(
      snapshots.map(({ state }) => state),
      ["sound"],
    );
    assert.equal(isNeeded, false);
    const before = builder.backend.contents();
    await run(builder.repository, { forget: true });
    assert.deepEqual(builder.backend.contents(), before);
  });

  it("takes no snapshot for lost that came after the index was read", async () => {
    const { builder } = await makeSample();
    const { repository } = builder;
    await repository.loadIndex({ includeMarked: true });
    const tree = treeBlob([fileNode("new", dataBlob(""))]);
    await builder.index(await builder.pack(tree), await builder.pack(dataBlob("")));
    const { id } = await builder.snapshot(tree);
    await run(repository, { forget: true });
    assert.ok((await listed(builder, "snapshot")).includes(id));
  });

  it("cuts lost blobs out of files, and says of which", async () => {
    const { builder, dataPacks, snapshot, blobs } = await makeSample();
    const { repository } = builder;
    await builder.backend.remove({ type: "pack", name: dataPacks[1]! });
    await runRepairIndex(builder);
    const before = builder.backend.contents();
    const { snapshots } = await plan(repository);
    assert.deepEqual(snapshots[0]?.mendings, [
      { kind: "content-cut", path: "/folder/three" },
      { kind: "content-cut", path: "/folder/two" },
    ]);
    assert.deepEqual(builder.backend.contents(), before, "a plan changes nothing");
    const { mended } = await run(repository);
    assert.deepEqual(
      mended.map(({ old }) => old),
      [snapshot],
    );
    const { tags, original, tree } = await loadSnapshot(repository, mended[0]!.id);
    assert.deepEqual([tags, original], [["repaired"], snapshot]);
    await repository.loadIndex();
    const [folder] = await repository.loadTree(tree);
    const files = await repository.loadTree(folder!.subtree!);
    assert.deepEqual(
      files.map(({ name, size, content }) => [name, size, content]),
      [
        ["three", 0, []],
        ["two", 9, [blobs.a.id]],
      ],
    );
    assert.deepEqual(
      await problems(builder),
      ["blob-missing", "blob-missing"],
      "the old one is there",
    );
  });

  it("puts the mended snapshot into the old one's place with forget", async () => {
    const { builder, dataPacks, snapshot } = await makeSample();
    const { repository } = builder;
    await builder.backend.remove({ type: "pack", name: dataPacks[1]! });
    await runRepairIndex(builder);
    const { mended } = await run(repository, { forget: true });
    assert.deepEqual(await listed(builder, "snapshot"), [mended[0]!.id]);
    const { tags, original } = await loadSnapshot(repository, mended[0]!.id);
    assert.deepEqual([tags, original], [undefined, snapshot]);
    assert.deepEqual(await problems(builder), []);
  });

  it("empties folders whose tree is gone or damaged", async () => {
    for (const isGone of [true, false]) {
      await using builder = await RepositoryBuilder.create();
      const [lost, blob] = [treeBlob([fileNode("x")]), dataBlob("y")];
      const root = treeBlob([folderNode("lost", lost), fileNode("y", blob)]);
      const pack = await builder.pack(lost);
      await builder.index(await builder.pack(root), await builder.pack(blob));
      if (!isGone) await builder.index(pack);
      builder.damage("pack", pack.id, flipBit(3));
      await builder.snapshot(root);
      const { snapshots } = await plan(builder.repository);
      assert.deepEqual(snapshots[0]?.mendings, [{ kind: "folder-emptied", path: "/lost" }]);
      await run(builder.repository, { forget: true });
      assert.deepEqual(await problems(builder), isGone ? [] : ["pack"]);
    }
  });

  it("mends what restic mends inside of trees", async () => {
    await using builder = await RepositoryBuilder.create();
    const [blob, empty] = [dataBlob("12345"), treeBlob([])];
    const root = treeBlob([
      node("z", { type: "dir", mode: 2 ** 31 + 0o755 }),
      node("a", { size: 7, content: [blob.id] }),
      node("b", { type: "unknown", type_text: "irregular" }),
      node("c", { type: "unknown", type_text: "door" }),
      node("d", { content: null }),
    ]);
    await builder.index(await builder.pack(root, empty), await builder.pack(blob));
    await builder.snapshot(root);
    const { snapshots } = await plan(builder.repository);
    assert.deepEqual(
      snapshots[0]?.mendings.map(({ kind, path }) => `${path} ${kind}`),
      ["/z folder-emptied", "/a size-fixed", "/b entry-removed", "/d size-fixed"],
    );
    const { mended } = await run(builder.repository, { forget: true });
    const { tree } = await loadSnapshot(builder.repository, mended[0]!.id);
    await builder.repository.loadIndex();
    const nodes = await builder.repository.loadTree(tree);
    assert.deepEqual(
      nodes.map(({ name, size }) => [name, size]),
      [
        ["a", 5],
        ["c", 0],
        ["d", 0],
        ["z", 0],
      ],
    );
    assert.deepEqual(
      await problems(builder),
      ["tree"],
      "what a newer writer's word means is not known",
    );
  });

  it("names snapshots that nothing is left of, and removes them with forget only", async () => {
    const { builder, treePack, root } = await makeSample();
    const { id: held } = await builder.snapshot(root, { tags: [HOLD_TAG] });
    const { id: damaged } = await builder.snapshot(root, { hostname: "b" });
    builder.damage("snapshot", damaged, flipBit(8));
    await builder.backend.remove({ type: "pack", name: treePack });
    await runRepairIndex(builder);
    const before = await listed(builder, "snapshot");
    const { damagedSnapshotFiles, snapshots, isNeeded } = await plan(builder.repository);
    assert.deepEqual(
      damagedSnapshotFiles.map(({ name }) => name),
      [damaged],
    );
    assert.deepEqual(
      snapshots.map(({ state }) => state),
      ["unreadable", "unreadable"],
    );
    assert.equal(isNeeded, false);
    assert.deepEqual(await run(builder.repository), { mended: [], removed: [] });
    assert.deepEqual(await listed(builder, "snapshot"), before);
    await run(builder.repository, { forget: true });
    assert.deepEqual(await listed(builder, "snapshot"), [held]);
  });

  it("looks only at the snapshots that are meant", async () => {
    const { builder, dataPacks, root, snapshot } = await makeSample();
    const { id: other } = await builder.snapshot(root, { hostname: "other" });
    await builder.backend.remove({ type: "pack", name: dataPacks[1]! });
    await runRepairIndex(builder);
    const ids = async (wish: Wish): Promise<string[]> =>
      (await plan(builder.repository, wish)).snapshots.map(({ id }) => id).sort();
    assert.deepEqual(await ids({ filter: { hosts: ["other"] } }), [other]);
    assert.deepEqual(await ids({ ids: [snapshot] }), [snapshot]);
    assert.deepEqual(await ids({}), [snapshot, other].sort());
  });

  it("cuts nothing while the index does not fit the packs", async () => {
    const { builder, dataPacks } = await makeSample();
    builder.damage("pack", dataPacks[1]!, (bytes) => bytes.subarray(1));
    await assert.rejects(run(builder.repository), { code: "repository.damaged" });
    await builder.backend.remove({ type: "pack", name: dataPacks[1]! });
    await assert.rejects(run(builder.repository), { code: "repository.damaged" });
  });

  it("cuts nothing because a store does not answer", async () => {
    const { builder } = await makeSample();
    const faulty = new FaultyBackend(builder.backend.sharing());
    const repository = await builder.reopen(faulty);
    await repository.loadIndex();
    faulty.stage({ method: "load", type: "pack", when: "always", fault: { kind: "error" } });
    await assert.rejects(planSnapshotRepair({ repository }), { code: "backend.io" });
  });

  it("loses no snapshot, wherever it is cut off", async () => {
    for (let call = 0, done = false; !done; call++) {
      const { builder, dataPacks } = await makeSample();
      await builder.backend.remove({ type: "pack", name: dataPacks[1]! });
      await runRepairIndex(builder);
      const before = await problems(builder);
      const faulty = new FaultyBackend(builder.backend.sharing()).crashAfter(call);
      done = await builder
        .reopen(faulty)
        .then((repository) => run(repository, { forget: true }))
        .then(
          () => true,
          () => false,
        );
      assert.equal(done, !faulty.crashed);
      assert.ok((await listed(builder, "snapshot")).length > 0, `after ${call} calls`);
      assert.ok((await problems(builder)).length <= before.length, `after ${call} calls`);
      await run(builder.repository, { forget: true });
      assert.deepEqual(await problems(builder), [], `after ${call} calls`);
    }
  });
});
