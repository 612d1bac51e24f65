import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { isComebackError } from "@comeback/core";
import { SeededRandom } from "@comeback/testkit";
import { check } from "../../src/check/check.ts";
import { walkSnapshot } from "../../src/listing/walk-snapshot.ts";
import { executeMerge, planMerge, type PlanMergeOptions } from "../../src/merge/merge-snapshots.ts";
import { listSnapshots } from "../../src/repository/snapshots.ts";
import { HOLD_TAG } from "../../src/snapshot/hold.ts";
import type { Snapshot } from "../../src/snapshot/snapshot.ts";
import type { TreeNode } from "../../src/tree/types.ts";
import {
  dataBlob,
  fileNode,
  folderNode,
  type LooseBlob,
  RepositoryBuilder,
  treeBlob,
} from "../repository-builder.ts";

/** A folder of a test: names with the text of a file, or with a folder. */
type Folder = { readonly [name: string]: string | Folder };

/** Blobs of a folder, its own tree last. */
function blobsOf(folder: Folder): LooseBlob[] {
  const blobs: LooseBlob[] = [];
  const nodes: TreeNode[] = [];
  for (const name of Object.keys(folder).sort()) {
    const entry = folder[name] as string | Folder;
    if (typeof entry === "string") {
      const blob = dataBlob(entry);
      blobs.push(blob);
      nodes.push(fileNode(name, blob));
    } else {
      const below = blobsOf(entry);
      blobs.push(...below);
      nodes.push(folderNode(name, below.at(-1) as LooseBlob));
    }
  }
  return [...blobs, treeBlob(nodes)];
}

const TIMES = ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"];

/** A repository with a snapshot of each folder, oldest first. */
async function repositoryOf(folders: readonly Folder[]): Promise<RepositoryBuilder> {
  const builder = await RepositoryBuilder.create();
  const all = folders.map(blobsOf);
  const unique = new Map(all.flat().map((blob) => [blob.id, blob]));
  const of = (type: string): LooseBlob[] => [...unique.values()].filter((b) => b.type === type);
  const packs = [await builder.pack(...of("tree"))];
  if (of("data").length > 0) packs.push(await builder.pack(...of("data")));
  await builder.index(...packs);
  for (const [place, blobs] of all.entries()) {
    const fields = { time: TIMES[place] ?? "", paths: [`/p${place}`], hostname: `h${place}` };
    await builder.snapshot(blobs.at(-1) as LooseBlob, fields);
  }
  return builder;
}

async function merge(
  builder: RepositoryBuilder,
  options: Partial<PlanMergeOptions> = {},
): Promise<Snapshot> {
  const { repository } = builder;
  return executeMerge(repository, await plan(builder, options));
}

async function plan(
  builder: RepositoryBuilder,
  options: Partial<PlanMergeOptions> = {},
): ReturnType<typeof planMerge> {
  const { repository } = builder;
  await repository.loadIndex({ includeMarked: true });
  const snapshots = await listSnapshots(repository);
  return planMerge({ repository, snapshots, programVersion: "test", ...options });
}

/** What a snapshot holds, as the test wrote it. */
async function contentsOf(builder: RepositoryBuilder, treeId: string): Promise<Folder> {
  await using repository = await builder.reopen();
  await repository.loadIndex();
  const top: Record<string, unknown> = {};
  const folders = new Map<string, Record<string, unknown>>([["", top]]);
  for await (const { path, node } of walkSnapshot(repository, treeId)) {
    const parent = folders.get(path.slice(0, path.lastIndexOf("/")));
    assert.ok(parent !== undefined);
    if (node.type === "dir") {
      const folder: Record<string, unknown> = {};
      folders.set(path, folder);
      parent[node.name] = folder;
    } else {
      const [id] = node.content ?? [];
      const bytes = id === undefined ? "" : await repository.loadBlob("data", id);
      parent[node.name] = Buffer.from(bytes).toString();
    }
  }
  return top as Folder;
}

/** The same by another way: every snapshot laid over the ones before it. */
function overlay(folders: readonly Folder[]): Folder {
  const result: Record<string, string | Folder> = {};
  const names = new Set(folders.flatMap((folder) => Object.keys(folder)));
  for (const name of names) {
    const versions = folders.flatMap((folder) => (name in folder ? [folder[name]!] : []));
    const newest = versions.at(-1) as string | Folder;
    const below = versions.filter((version) => typeof version !== "string");
    result[name] = typeof newest === "string" ? newest : overlay(below);
  }
  return result;
}

function randomFolder(random: SeededRandom, depth: number): Folder {
  const folder: Record<string, string | Folder> = {};
  for (const name of ["a", "b", "B", "c\xff", "d"]) {
    if (random.chance(40)) continue;
    const isFolder = depth > 0 && random.chance(50);
    folder[name] = isFolder ? randomFolder(random, depth - 1) : `text ${random.integer(1, 3)}`;
  }
  return folder;
}

test("a merge holds the newest version of every path: 60 random cases", async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = new SeededRandom(seed);
    const count = random.integer(2, 3);
    const folders = Array.from({ length: count }, () => randomFolder(random, 3));
    await using builder = await repositoryOf(folders);
    const saved = await merge(builder);
    const expected = overlay(folders);
    assert.deepEqual(await contentsOf(builder, saved.tree), expected, `seed ${seed}`);
    // The very tree that a backup of all this would have.
    assert.equal(saved.tree, blobsOf(expected).at(-1)?.id, `seed ${seed}`);
    if (seed > 2) continue;
    await using again = await builder.reopen();
    assert.ok((await check({ repository: again, readData: { kind: "all" } })).ok, `seed ${seed}`);
  }
});

describe("a merge", () => {
  const folders: Folder[] = [
    { x: "old", a: { one: "1" } },
    { x: "new!", a: { two: "2" } },
  ];

  it("says where it comes from, when, and how much it holds", async () => {
    await using builder = await repositoryOf(folders);
    const [older, newer] = (await listSnapshots(builder.repository)) as [Snapshot, Snapshot];
    const saved = await merge(builder);
    assert.equal(Date.parse(saved.time), Date.parse(newer.time) + 1);
    assert.deepEqual(saved.paths, ["/p0", "/p1"]);
    assert.deepEqual([saved.hostname, saved.tags], ["h1", ["merge"]]);
    assert.deepEqual(saved["comeback"], {
      merged: [newer, older].map(({ id, time }) => ({ id, time })),
    });
    assert.equal(saved.summary?.total_files_processed, 3);
    assert.equal(saved.summary?.total_bytes_processed, 6);
    const all = await listSnapshots(builder.repository);
    assert.deepEqual(
      all.map(({ id }) => id),
      [older.id, newer.id, saved.id],
    );
  });

  it("takes host and time as they are given, and the tags that all have, but no hold", async () => {
    await using builder = await repositoryOf([{}]);
    const { repository } = builder;
    const tree = blobsOf({}).at(-1) as LooseBlob;
    await builder.snapshot(tree, { tags: ["x", "y", HOLD_TAG], hostname: "h" });
    await builder.snapshot(tree, { tags: ["y", HOLD_TAG, "z"], hostname: "h" });
    const snapshots = (await listSnapshots(repository)).filter(({ tags }) => tags !== undefined);
    const time = { seconds: 1_700_000_000, nanoseconds: 5 };
    const saved = await merge(builder, { snapshots, hostname: "other", time });
    assert.deepEqual([saved.hostname, saved.tags], ["other", ["y", "merge"]]);
    assert.equal(Math.floor(Date.parse(saved.time) / 1000), 1_700_000_000);
    assert.equal(saved.tree, tree.id);
  });

  it("removes what it was made of only when asked, and never what is held", async () => {
    await using builder = await repositoryOf(folders);
    const { repository } = builder;
    const saved = await merge(builder, { forget: true });
    assert.deepEqual(
      (await listSnapshots(repository)).map(({ id }) => id),
      [saved.id],
    );
    const tree = blobsOf(folders[0] as Folder).at(-1) as LooseBlob;
    await builder.snapshot(tree, { tags: [HOLD_TAG] });
    await assert.rejects(merge(builder, { forget: true }), { code: "forget.held" });
    assert.equal((await listSnapshots(repository)).length, 2);
    await merge(builder);
    assert.equal((await listSnapshots(repository)).length, 3);
  });

  it("needs two, and reads all of them or makes none", async () => {
    await using builder = await repositoryOf(folders);
    const { repository } = builder;
    const [one] = await listSnapshots(repository);
    for (const snapshots of [[], [one as Snapshot]]) {
      await assert.rejects(merge(builder, { snapshots }), { code: "option.invalid" });
    }
    const broken = treeBlob([folderNode("a", treeBlob("never stored"))]);
    await builder.index(await builder.pack(broken));
    await builder.snapshot(broken);
    await assert.rejects(merge(builder, { forget: true }), (error) => {
      assert.ok(isComebackError(error, "repository.damaged"));
      return error.message === "the listing of folder /a is damaged";
    });
    assert.equal((await listSnapshots(repository)).length, 3);
  });

  it("writes nothing in a dry run, and foretells the tree", async () => {
    await using builder = await repositoryOf(folders);
    const before = builder.backend.contents();
    const dry = await plan(builder, { dryRun: true });
    assert.deepEqual(builder.backend.contents(), before);
    await assert.rejects(executeMerge(builder.repository, dry), /dry run/);
    assert.equal((await merge(builder)).tree, dry.result.tree);
  });

  it("stores no folder again of which there is one version", async () => {
    const alike: Folder = { deep: { er: { text: "same" } } };
    await using builder = await repositoryOf([
      { ...alike, x: "1" },
      { ...alike, y: "2" },
    ]);
    const packsBefore = builder.backend.contents().get("pack");
    const saved = await merge(builder);
    const added = [...(builder.backend.contents().get("pack")?.keys() ?? [])].filter(
      (name) => packsBefore?.has(name) !== true,
    );
    assert.equal(added.length, 1);
    await using again = await builder.reopen();
    await again.loadIndex();
    assert.equal(again.index.find("tree", saved.tree)[0]?.packId, added[0]);
    const blobs = blobsOf(alike).filter(({ type }) => type === "tree");
    for (const { id } of blobs.slice(0, -1)) assert.equal(again.index.find("tree", id).length, 1);
  });
});
