import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { recover } from "../../src/repair/recover.ts";
import { planRecover, type RecoverPlan } from "../../src/repair/recover-plan.ts";
import type { Repository } from "../../src/repository/repository.ts";
import { walkSnapshot } from "../../src/listing/walk-snapshot.ts";
import {
  fileNode,
  flipBit,
  folderNode,
  RepositoryBuilder,
  treeBlob,
} from "../repository-builder.ts";
import { listed, makeSample, problems, runRepairIndex } from "./sample.ts";

async function plan(repository: Repository): Promise<RecoverPlan> {
  await repository.loadIndex({ includeMarked: true });
  return planRecover({ repository, workers: 1 });
}

async function paths(repository: Repository, tree: string): Promise<string[]> {
  await repository.loadIndex();
  const found: string[] = [];
  for await (const { path } of walkSnapshot(repository, tree)) found.push(path);
  return found;
}

describe("recover", () => {
  it("finds nothing where snapshots lead to every tree", async () => {
    const { builder } = await makeSample();
    const { roots, isNeeded, trees } = await plan(builder.repository);
    assert.deepEqual([roots, isNeeded, trees], [[], false, 2]);
  });

  it("makes a snapshot of the trees that nothing leads to", async () => {
    const { builder, root, snapshot, blobs } = await makeSample();
    const { repository } = builder;
    const other = treeBlob([fileNode("other", blobs.a)]);
    await builder.index(await builder.pack(other, treeBlob([])));
    await builder.backend.remove({ type: "snapshot", name: snapshot });
    const found = await plan(repository);
    assert.deepEqual(
      found.roots.map(({ tree }) => tree),
      [root.id, other.id].sort(),
    );
    assert.deepEqual(await listed(builder, "snapshot"), []);
    const saved = await recover({ repository, plan: found });
    assert.deepEqual([saved.paths, saved.tags], [["/recover"], ["recovered"]]);
    const [first, second] = [root.id.slice(0, 8), other.id.slice(0, 8)];
    const expected = [
      `/${first}`,
      `/${first}/folder`,
      `/${first}/folder/three`,
      `/${first}/folder/two`,
      `/${first}/one`,
      `/${second}`,
      `/${second}/other`,
    ];
    assert.deepEqual((await paths(repository, saved.tree)).sort(), expected.sort());
    assert.deepEqual(await problems(builder), []);
    assert.equal((await plan(repository)).isNeeded, false, "they are led to now");
  });

  it("brings back what a damaged snapshot file led to, less what is gone", async () => {
    const { builder, root, snapshot, dataPacks } = await makeSample();
    const { repository } = builder;
    builder.damage("snapshot", snapshot, flipBit(10));
    await builder.backend.remove({ type: "pack", name: dataPacks[1]! });
    await assert.rejects(plan(repository), { code: "repository.damaged" });
    await runRepairIndex(builder);
    const found = await plan(repository);
    assert.deepEqual(
      found.mendings.map(({ path }) => path),
      [`/${root.id.slice(0, 8)}/folder/three`, `/${root.id.slice(0, 8)}/folder/two`],
    );
    await recover({ repository, plan: found });
    assert.deepEqual(await problems(builder), ["snapshot"]);
    const again = await plan(repository);
    assert.deepEqual([again.roots, again.mendings, again.mendingCount], [[], [], 0]);
  });

  it("passes over trees that cannot be read, and tells of packs that no index lists", async () => {
    await using builder = await RepositoryBuilder.create();
    const inner = treeBlob([fileNode("f")]);
    const root = treeBlob([folderNode("d", inner)]);
    const packs = [await builder.pack(inner), await builder.pack(root)];
    await builder.index(...packs);
    await builder.pack(treeBlob([fileNode("not listed")]));
    builder.damage("pack", packs[1]!.id, flipBit(3));
    const found = await plan(builder.repository);
    assert.deepEqual([found.trees, found.unreadableTrees, found.packsNotIndexed], [2, 1, 1]);
    assert.deepEqual(
      found.roots.map(({ tree }) => tree),
      [inner.id],
    );
  });

  it("keeps folders apart whose trees' ids begin alike", async () => {
    await using builder = await RepositoryBuilder.create();
    const trees = Array.from({ length: 40 }, (_, i) => treeBlob([fileNode(`file-${i}`)]));
    await builder.index(await builder.pack(...trees));
    const found = await plan(builder.repository);
    assert.equal(new Set(found.roots.map(({ name }) => name)).size, 40);
    const saved = await recover({ repository: builder.repository, plan: found });
    assert.equal((await paths(builder.repository, saved.tree)).length, 80);
    assert.deepEqual(await problems(builder), []);
  });
});
