import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PatternList } from "@comeback/core";
import { findEntries } from "../../src/find/find-entries.ts";
import { blobsOfPacks, findObjects } from "../../src/find/find-objects.ts";
import { TreeSearch } from "../../src/find/tree-search.ts";
import type { Snapshot } from "../../src/snapshot/snapshot.ts";
import {
  dataBlob,
  fileNode,
  folderNode,
  type LooseBlob,
  RepositoryBuilder,
  treeBlob,
} from "../repository-builder.ts";

const content = dataBlob("content");
const deep = treeBlob([fileNode("a.c", content), fileNode("b.txt")]);
const barren = treeBlob([fileNode("x"), fileNode("y")]);
const first = treeBlob([folderNode("barren", barren), folderNode("src", deep)]);
/** The same folders, and one of them in another place. */
const second = treeBlob([
  folderNode("barren", barren),
  folderNode("moved", deep),
  folderNode("src", deep),
]);

interface Sample extends AsyncDisposable {
  readonly builder: RepositoryBuilder;
  readonly snapshots: readonly Snapshot[];
  readonly packs: readonly string[];
}

async function sample(
  trees: readonly LooseBlob[] = [deep, barren, first, second],
): Promise<Sample> {
  const builder = await RepositoryBuilder.create();
  const packs = [await builder.pack(content), await builder.pack(...trees)];
  await builder.index(...packs);
  await builder.repository.loadIndex();
  const snapshots = [
    await builder.snapshot(first),
    await builder.snapshot(second),
    await builder.snapshot(second, { hostname: "again" }),
  ];
  const dispose = (): Promise<void> => builder[Symbol.asyncDispose]();
  return { builder, snapshots, packs: packs.map(({ id }) => id), [Symbol.asyncDispose]: dispose };
}

async function search(all: Sample, ...patterns: string[]): Promise<string[][]> {
  const found = all.snapshots.map((): string[] => []);
  await findEntries({
    repository: all.builder.repository,
    snapshots: all.snapshots,
    patterns: new PatternList(patterns, { option: "find" }),
    onMatch: ({ path }, snapshot) => found[all.snapshots.indexOf(snapshot)]?.push(path),
  });
  return found;
}

describe("searching snapshots", () => {
  it("finds matches in each, wherever a folder stands", async () => {
    await using all = await sample();
    const again = ["/moved/a.c", "/src/a.c"];
    assert.deepEqual(await search(all, "*.c"), [["/src/a.c"], again, again]);
    const below = ["/src", "/src/a.c", "/src/b.txt"];
    assert.deepEqual(await search(all, "/src"), [below, below, below]);
    assert.deepEqual(await search(all, "nothing"), [[], [], []]);
  });

  it("walks a folder that stands in the same place again only once", async () => {
    await using all = await sample();
    const visited: string[] = [];
    const walker = new TreeSearch<string>(all.builder.repository, ({ path }) => {
      visited.push(path);
      return { matches: path.endsWith(".c") ? [path] : [], descends: true };
    });
    const matches: string[][] = [];
    for (const { tree } of all.snapshots) {
      const found: string[] = [];
      await walker.walk(tree, { onMatch: (path) => found.push(path), onProblem: assert.fail });
      matches.push(found);
    }
    assert.deepEqual(matches, [
      ["/src/a.c"],
      ["/moved/a.c", "/src/a.c"],
      ["/moved/a.c", "/src/a.c"],
    ]);
    const inFirst = ["/barren", "/barren/x", "/barren/y", "/src", "/src/a.c", "/src/b.txt"];
    // "moved" took the place of "src" in what is remembered of their tree.
    const inSecond = ["/barren", "/moved", "/moved/a.c", "/moved/b.txt"];
    const rest = ["/src", "/src/a.c", "/src/b.txt"];
    assert.deepEqual(visited, [...inFirst, ...inSecond, ...rest]);
  });

  it("names a folder that cannot be read in every snapshot, and finds the rest", async () => {
    await using all = await sample([deep, first, second]);
    const problems: string[] = [];
    const found: string[] = [];
    await findEntries({
      repository: all.builder.repository,
      snapshots: all.snapshots,
      patterns: new PatternList(["a.c", "x"], { option: "find" }),
      onMatch: ({ path }) => found.push(path),
      onProblem: ({ message }) => problems.push(message),
    });
    assert.deepEqual(problems, Array(3).fill("the listing of folder /barren is damaged"));
    assert.equal(found.length, 5);
  });

  it("finds where blobs are used, by whole and by short ids, and of packs", async () => {
    await using all = await sample();
    const { builder, snapshots, packs } = all;
    const { repository } = builder;
    const where = async (objects: { data: string[]; tree: string[] }): Promise<string[]> => {
      const found: string[] = [];
      await findObjects({
        repository,
        snapshots,
        objects,
        onMatch: ({ type, path }, { hostname = "" }) => found.push(`${type} ${hostname}${path}`),
      });
      return found;
    };
    const files = ["data /src/a.c", "data /moved/a.c", "data /src/a.c"];
    const again = ["data again/moved/a.c", "data again/src/a.c"];
    assert.deepEqual(await where({ data: [content.id], tree: [] }), [...files, ...again]);
    assert.deepEqual(await where({ data: [content.id.slice(0, 8)], tree: [] }), [
      ...files,
      ...again,
    ]);
    assert.deepEqual(await where({ data: [], tree: [first.id] }), ["tree /"]);
    const ofPack = await blobsOfPacks(repository, [packs[1]!.slice(0, 10)]);
    assert.deepEqual(ofPack.data, []);
    assert.equal((await where({ data: [], tree: [...ofPack.tree] })).length, 3 + 4 + 4);
    await assert.rejects(blobsOfPacks(repository, ["0".repeat(64)]), /there is no pack 0/);
  });

  it("reads the header of a pack that no index lists", async () => {
    await using all = await sample();
    const { builder } = all;
    const lost = dataBlob("in no index");
    const { id } = await builder.pack(lost, deep);
    const objects = await blobsOfPacks(builder.repository, [id]);
    assert.deepEqual(objects, { data: [lost.id], tree: [deep.id] });
  });
});
