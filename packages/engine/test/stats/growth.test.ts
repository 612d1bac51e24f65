import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { computeGrowth } from "../../src/stats/growth.ts";
import {
  dataBlob,
  fileNode,
  folderNode,
  RepositoryBuilder,
  treeBlob,
} from "../repository-builder.ts";

const a = dataBlob("a".repeat(1000));
const b = dataBlob("b".repeat(300));

describe("growth", () => {
  it("counts for each snapshot, in the order of time, what none before it has", async () => {
    await using builder = await RepositoryBuilder.create({ version: 1 });
    const inner = treeBlob([fileNode("a", a)]);
    const first = treeBlob([folderNode("d", inner)]);
    const second = treeBlob([fileNode("again", a), fileNode("b", b), folderNode("d", inner)]);
    const pack = await builder.pack(a, b, inner, first, second);
    await builder.index(pack);
    const { repository } = builder;
    await repository.loadIndex();
    const time = (day: number): { time: string } => ({ time: `2026-01-0${day}T00:00:00Z` });
    const late = await builder.snapshot(second, time(2));
    const early = await builder.snapshot(first, time(1));
    const same = await builder.snapshot(second, time(3));
    const growth = await computeGrowth({ repository, snapshots: [late, same, early] });
    const stored = (...blobs: { id: string }[]): number =>
      pack.blobs
        .filter(({ id }) => blobs.some((blob) => blob.id === id))
        .reduce((sum, { length }) => sum + length, 0);
    const [one, two, three] = growth;
    assert.deepEqual(
      growth.map(({ snapshot }) => snapshot.id),
      [early.id, late.id, same.id],
    );
    assert.deepEqual(
      growth.map(({ logicalBytes }) => logicalBytes),
      [1000, 2300, 2300],
    );
    assert.deepEqual(
      growth.map(({ addedBlobs }) => addedBlobs),
      [3, 2, 0],
    );
    assert.equal(one?.addedStoredBytes, stored(a, inner, first));
    assert.equal(two?.addedBytes, b.plaintext.length + second.plaintext.length);
    assert.equal(two?.addedStoredBytes, stored(b, second));
    assert.equal(three?.totalStoredBytes, stored(a, b, inner, first, second));
    assert.equal(three?.dedupRatio, 5600 / stored(a, b, inner, first, second));
  });

  it("of nothing is nothing, and of what is not there an error", async () => {
    await using builder = await RepositoryBuilder.create();
    const { repository } = builder;
    await repository.loadIndex();
    assert.deepEqual(await computeGrowth({ repository, snapshots: [] }), []);
    const snapshots = [await builder.snapshot(treeBlob([]))];
    await assert.rejects(computeGrowth({ repository, snapshots }), /is damaged/);
  });
});
