import assert from "node:assert/strict";
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { isComebackError } from "@comeback/core";
import { BOX_OVERHEAD_BYTES } from "../../src/crypto/box.ts";
import { encodeIndexFile } from "../../src/index/index-file.ts";
import { dataBlob, fileNode, flipBit, folderNode, treeBlob } from "../repository-builder.ts";
import { RestoreFixture } from "./restore-fixture.ts";

const STORED_MS = Date.parse("2026-01-02T03:04:05.678Z");

test("a damaged blob: its files are named, all others are restored", async () => {
  await using fixture = await RestoreFixture.create();
  const bad = dataBlob("bad");
  const good = dataBlob("good");
  const tree = treeBlob([
    fileNode("begins well", good, bad),
    fileNode("ends well", bad, good),
    fileNode("fine", good),
    fileNode("lost", bad),
    fileNode("z", dataBlob("other")),
  ]);
  const pack = await fixture.builder.pack(bad, good, dataBlob("other"));
  await fixture.builder.index(pack, await fixture.builder.pack(tree));
  fixture.builder.damage("pack", pack.id, flipBit(BOX_OVERHEAD_BYTES / 2 + 1));
  fixture.makeTarget();
  writeFileSync(fixture.path("lost"), "what was there");
  const result = await fixture.restore(tree, { verify: true });
  const named = fixture.problems.map(({ path }) => path).sort();
  assert.deepEqual(named, ["/begins well", "/ends well", "/lost"]);
  assert.ok(fixture.problems.every(({ message }) => message.includes("its data is lost")));
  assert.equal(fixture.text("fine"), "good");
  assert.equal(fixture.text("z"), "other");
  assert.equal(result.filesVerified, 2);
  // What of a file could be had is there, but its time tells that it is not complete.
  assert.equal(fixture.text("begins well"), "good\0\0\0");
  assert.equal(fixture.text("ends well"), "\0\0\0good");
  assert.equal(fixture.text("lost"), "what was there");
  for (const name of ["begins well", "ends well", "lost"]) {
    assert.notEqual(statSync(fixture.path(name)).mtimeMs, STORED_MS, name);
  }
});

test("a blob that is in another pack as well is taken from there", async () => {
  await using fixture = await RestoreFixture.create();
  const twice = dataBlob("in two packs");
  const once = dataBlob("in one");
  const files = treeBlob([
    fileNode("a", twice),
    fileNode("b", once, twice, once, twice),
    fileNode("c", twice, once),
  ]);
  const first = await fixture.builder.pack(twice, once);
  const second = await fixture.builder.pack(dataBlob("something else"), twice);
  await fixture.builder.index(first, second, await fixture.builder.pack(files));
  // Whichever of the two the index gives first: one after the other is damaged.
  for (const { id, blobs } of [first, second]) {
    const offset = blobs.find((blob) => blob.id === twice.id)?.offset ?? 0;
    fixture.builder.damage("pack", id, flipBit(offset + 20));
    const result = await fixture.restore(files, { verify: true });
    assert.deepEqual(result.problemsKept, []);
    assert.equal(fixture.text("a"), "in two packs");
    assert.equal(fixture.text("b"), "in onein two packsin onein two packs");
    assert.equal(statSync(fixture.path("b")).mtimeMs, STORED_MS);
    fixture.builder.damage("pack", id, flipBit(offset + 20));
    writeFileSync(fixture.path("a"), "");
    writeFileSync(fixture.path("c"), "");
  }
});

test("a missing pack, a truncated pack, a blob that the index does not list", async () => {
  await using fixture = await RestoreFixture.create();
  const [missing, cut, whole] = [dataBlob("missing"), dataBlob("cut"), dataBlob("whole")];
  const unlisted = dataBlob("unlisted");
  const both = dataBlob("in the missing pack and in another");
  const tree = treeBlob([
    fileNode("a", missing),
    fileNode("b", cut),
    fileNode("c", whole),
    fileNode("d", unlisted),
    fileNode("e", both),
    fileNode("f", whole, unlisted, whole),
  ]);
  const gone = await fixture.builder.pack(missing, both);
  const shorter = await fixture.builder.pack(whole, cut);
  const other = await fixture.builder.pack(both);
  await fixture.builder.index(other, gone, shorter, await fixture.builder.pack(tree));
  await fixture.builder.backend.remove({ type: "pack", name: gone.id });
  const cutAt = (shorter.blobs[1]?.offset ?? 0) + 10;
  fixture.builder.damage("pack", shorter.id, (bytes) => bytes.subarray(0, cutAt));
  await fixture.restore(tree);
  assert.deepEqual(fixture.problems.map(({ path }) => path).sort(), ["/a", "/b", "/d", "/f"]);
  assert.match(fixture.problems.find(({ path }) => path === "/a")?.message ?? "", /is missing/);
  assert.match(
    fixture.problems.find(({ path }) => path === "/d")?.message ?? "",
    /not in the index/,
  );
  assert.equal(fixture.text("c"), "whole");
  assert.equal(fixture.text("e"), "in the missing pack and in another");
  assert.equal(existsSync(fixture.path("d")), false);
});

test("an index that lies about places and lengths", async () => {
  await using fixture = await RestoreFixture.create();
  const blobs = ["one", "two", "three", "four"].map((text) => dataBlob(text));
  const tree = treeBlob(blobs.map((blob, i) => fileNode(`file ${i}`, blob)));
  const pack = await fixture.builder.pack(...blobs);
  const trees = await fixture.builder.pack(tree);
  const lies = [
    { offset: 1 },
    { uncompressedLength: 17 },
    { length: 33, offset: 0, uncompressedLength: 0 },
    { offset: 2 ** 32 - 1 },
  ];
  const twisted = { ...pack, blobs: pack.blobs.map((blob, i) => ({ ...blob, ...lies[i] })) };
  await fixture.builder.repository.saveUnpacked("index", encodeIndexFile([twisted, trees]));
  const result = await fixture.restore(tree);
  assert.equal(result.problems, 4);
  assert.deepEqual(readdirSync(fixture.target), []);
});

test("a damaged folder is named with what is below it, a damaged top ends the restore", async () => {
  await using fixture = await RestoreFixture.create();
  const content = dataBlob("content");
  const inner = treeBlob([fileNode("inside", content)]);
  const top = treeBlob([folderNode("d", inner), fileNode("f", content)]);
  const innerPack = await fixture.builder.pack(inner);
  const topPack = await fixture.builder.pack(top);
  await fixture.builder.index(await fixture.builder.pack(content), innerPack, topPack);
  fixture.builder.damage("pack", innerPack.id, flipBit(30));
  const result = await fixture.restore(top, { verify: true });
  assert.deepEqual(
    fixture.problems.map(({ path }) => path),
    ["/d"],
  );
  assert.match(fixture.problems[0]?.message ?? "", /nothing below it is restored/);
  assert.equal(fixture.text("f"), "content");
  assert.equal(result.filesVerified, 1);
  fixture.builder.damage("pack", topPack.id, flipBit(30));
  await assert.rejects(fixture.restore(top), (error) =>
    isComebackError(error, "repository.damaged"),
  );
});

test("a time that is no time: the entry is named and left out", async () => {
  await using fixture = await RestoreFixture.create();
  const content = dataBlob("content");
  const wrong = { ...fileNode("wrong", content), mtime: "2026-13-41T03:04:05Z" };
  const tree = treeBlob([fileNode("right", content), wrong]);
  await fixture.storeBlobs([content], [tree]);
  const result = await fixture.restore(tree);
  assert.equal(result.problems, 1);
  assert.deepEqual(readdirSync(fixture.target), ["right"]);
});
