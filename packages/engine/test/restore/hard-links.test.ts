import assert from "node:assert/strict";
import { lstatSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import {
  dataBlob,
  fileNode,
  flipBit,
  folderNode,
  type LooseBlob,
  treeBlob,
} from "../repository-builder.ts";
import type { TreeNode } from "../../src/tree/types.ts";
import { RestoreFixture } from "./restore-fixture.ts";

const BIG = 18_446_744_073_709_551_615n;

function linked(name: string, inode: number | bigint, links: number, blob: LooseBlob): TreeNode {
  return { ...fileNode(name, blob), inode, links };
}

const content = dataBlob("one file");
const other = dataBlob("another file");

/** Two files: one of five names in three folders, one of two names; and loners that look alike. */
function linkedTree(): { top: LooseBlob; trees: LooseBlob[] } {
  const inner = treeBlob([linked("d", 7, 5, content), linked("e", BIG, 2, other)]);
  const second = treeBlob([linked("c", 7, 5, content), linked("f", BIG, 2, other)]);
  const top = treeBlob([
    linked("a", 7, 5, content),
    folderNode("b", inner),
    folderNode("c", second),
    linked("g", 7, 5, content),
    linked("h", 7, 1, content),
    { ...linked("i", 7, 5, content), device_id: 99 },
  ]);
  return { top, trees: [inner, second, top] };
}

function inodeOf(fixture: RestoreFixture, ...parts: string[]): bigint {
  return lstatSync(fixture.path(...parts), { bigint: true }).ino;
}

test("names of one file are one file again", async () => {
  await using fixture = await RestoreFixture.create();
  const { top, trees } = linkedTree();
  await fixture.storeBlobs([content, other], trees);
  for (const workers of [1, 2, 1]) {
    const result = await fixture.restore(top, { workers });
    assert.deepEqual(result.problemsKept, []);
    const first = inodeOf(fixture, "a");
    for (const path of ["b/d", "c/c", "g"]) assert.equal(inodeOf(fixture, path), first, path);
    assert.equal(statSync(fixture.path("a")).nlink, 4);
    assert.equal(inodeOf(fixture, "b", "e"), inodeOf(fixture, "c", "f"));
    assert.notEqual(inodeOf(fixture, "h"), first);
    assert.notEqual(inodeOf(fixture, "i"), first);
    assert.equal(fixture.text("c", "f"), "another file");
    // Linking must not have touched the folders' times.
    assert.equal(lstatSync(fixture.path("c")).mtimeMs, Date.parse("2026-01-02T03:04:05.678Z"));
  }
});

test("links whose first name is not restored do not show something else", async () => {
  await using fixture = await RestoreFixture.create();
  const tree = treeBlob([
    linked("a", 7, 3, content),
    linked("b", 7, 3, content),
    linked("c", 7, 3, content),
  ]);
  await fixture.storeBlobs([content], [tree]);
  fixture.makeTarget();
  writeFileSync(fixture.path("a"), "mine, and protected");
  const result = await fixture.restore(tree, { overwrite: "never" });
  assert.deepEqual(result.problemsKept, []);
  assert.equal(fixture.text("a"), "mine, and protected");
  assert.equal(fixture.text("b"), "one file");
  assert.equal(inodeOf(fixture, "b"), inodeOf(fixture, "c"));
});

test("what is in the way of a link goes, as it would for a file", async () => {
  await using fixture = await RestoreFixture.create();
  const tree = treeBlob(["a", "b", "c", "d"].map((name) => linked(name, 7, 4, content)));
  await fixture.storeBlobs([content], [tree]);
  fixture.makeTarget();
  writeFileSync(fixture.path("b"), "in the way");
  mkdirSync(fixture.path("c"));
  fixture.makeTarget("d", "full");
  const result = await fixture.restore(tree);
  assert.equal(inodeOf(fixture, "b"), inodeOf(fixture, "a"));
  assert.equal(inodeOf(fixture, "c"), inodeOf(fixture, "a"));
  assert.equal(result.problems, 1);
  assert.equal(result.problemsKept[0]?.path, "/d");
  assert.equal(result.problemsKept[0]?.during, "link");
});

test("names of a file that is lost are all named", async () => {
  await using fixture = await RestoreFixture.create();
  const tree = treeBlob([
    linked("a", 7, 2, content),
    linked("b", 7, 2, content),
    fileNode("c", other),
  ]);
  const pack = await fixture.builder.pack(content, other);
  await fixture.builder.index(pack, await fixture.builder.pack(tree));
  fixture.builder.damage("pack", pack.id, flipBit(20));
  await fixture.restore(tree);
  assert.deepEqual(fixture.problems.map(({ path, during }) => `${during} ${path}`).sort(), [
    "link /b",
    "read /a",
  ]);
  assert.equal(fixture.text("c"), "another file");
});
