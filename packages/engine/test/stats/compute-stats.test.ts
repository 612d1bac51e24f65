import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { loadSnapshot } from "../../src/repository/snapshots.ts";
import { computeStats } from "../../src/stats/compute-stats.ts";
import type { RepositoryStats, StatsMode } from "../../src/stats/stats-types.ts";
import {
  dataBlob,
  fileNode,
  folderNode,
  node,
  RepositoryBuilder,
  treeBlob,
} from "../repository-builder.ts";

const a = dataBlob("a".repeat(1000));
const b = dataBlob("b".repeat(300));
const c = dataBlob("c");

async function stats(
  version: 1 | 2,
  mode: StatsMode,
): Promise<{ counted: RepositoryStats; stored: number }> {
  await using builder = await RepositoryBuilder.create({ version });
  const linked = { links: 2, inode: 77 };
  const inner = treeBlob([fileNode("ab", a, b), { ...fileNode("link", c), ...linked }]);
  const first = treeBlob([
    folderNode("d", inner),
    fileNode("e"),
    { ...fileNode("f", c), ...linked },
  ]);
  const link = node("l", { type: "symlink", linktarget: "x" });
  const second = treeBlob([folderNode("d", inner), fileNode("same", a, b), link]);
  const packs = [await builder.pack(a, b, c), await builder.pack(inner, first, second)];
  await builder.index(...packs, await builder.pack(dataBlob("used by none")));
  const { repository } = builder;
  await repository.loadIndex();
  const ids = [await builder.snapshot(first), await builder.snapshot(second, { hostname: "x" })];
  const snapshots = await Promise.all(ids.map(({ id }) => loadSnapshot(repository, id)));
  const stored = packs.flatMap(({ blobs }) => blobs).reduce((sum, { length }) => sum + length, 0);
  return { counted: await computeStats({ repository, snapshots, mode }), stored };
}

describe("statistics", () => {
  it("of what a restore writes count a hard link once a snapshot", async () => {
    const { counted } = await stats(2, "restore-size");
    // d, ab, link, e, f; d, ab, link, same, l.
    assert.deepEqual(counted, {
      total_size: 1301 + 1300 + 1 + 1300,
      total_file_count: 10,
      snapshots_count: 2,
    });
  });

  it("of contents count each once, and one for all that have none", async () => {
    const { counted } = await stats(2, "files-by-contents");
    assert.deepEqual(counted, { total_size: 1301, total_file_count: 3, snapshots_count: 2 });
  });

  it("of blobs by file count the blobs of each content once", async () => {
    const { counted } = await stats(2, "blobs-per-file");
    assert.deepEqual(counted, {
      total_size: 1301,
      total_file_count: 2,
      total_blob_count: 3,
      snapshots_count: 2,
    });
  });

  it("of what is stored count each blob once, and what compression saved", async () => {
    const { counted, stored } = await stats(2, "raw-data");
    assert.equal(counted.total_size, stored);
    assert.equal(counted.total_blob_count, 6);
    assert.equal(counted.compression_progress, 100);
    const plain = counted.total_uncompressed_size!;
    assert.equal(counted.compression_ratio, plain / stored);
    assert.equal(counted.compression_space_saving, (1 - stored / plain) * 100);
    assert.equal(counted.total_file_count, undefined);

    const old = await stats(1, "raw-data");
    const { counted: uncompressed } = old;
    assert.deepEqual(uncompressed, {
      total_size: old.stored,
      total_blob_count: 6,
      snapshots_count: 2,
    });
  });

  it("of no snapshots are zero", async () => {
    await using builder = await RepositoryBuilder.create();
    const { repository } = builder;
    await repository.loadIndex();
    for (const mode of ["restore-size", "raw-data"] as const) {
      const counted = await computeStats({ repository, snapshots: [], mode });
      assert.deepEqual(counted, { total_size: 0, snapshots_count: 0 });
    }
  });

  it("end with an error where something is missing", async () => {
    for (const mode of ["restore-size", "raw-data", "blobs-per-file"] as const) {
      await using builder = await RepositoryBuilder.create();
      const { repository } = builder;
      const root = treeBlob([fileNode("f", a)]);
      if (mode !== "restore-size") await builder.index(await builder.pack(root));
      await repository.loadIndex();
      const snapshots = [await builder.snapshot(root)];
      const counting = computeStats({ repository, snapshots, mode });
      await assert.rejects(counting, { code: "repository.damaged" });
    }
  });
});
