import assert from "node:assert/strict";
import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { test } from "node:test";
import { isComebackError } from "@comeback/core";
import { AT_FDCWD, listXattrs, getXattr, statAt } from "@comeback/platform";
import { dataBlob, fileNode, folderNode, node, treeBlob } from "../repository-builder.ts";
import { FIFO_MODE, RestoreFixture, SYMLINK_MODE, symlinkNode } from "./restore-fixture.ts";

const IS_ROOT = process.geteuid?.() === 0;

test("files, folders and symlinks come back with their content", async () => {
  for (const version of [1, 2] as const) {
    await using fixture = await RestoreFixture.create(version);
    const tree = await fixture.store({
      a: "first",
      empty: "",
      folder: { deep: { er: "second", er2: ["one ", "two ", "one ", "three"] }, bare: {} },
      link: symlinkNode("link", "folder/deep"),
    });
    const result = await fixture.restore(tree);
    assert.equal(fixture.text("a"), "first");
    assert.equal(fixture.text("empty"), "");
    assert.equal(fixture.text("folder", "deep", "er"), "second");
    assert.equal(fixture.text("folder", "deep", "er2"), "one two one three");
    assert.deepEqual(readdirSync(fixture.path("folder", "bare")), []);
    assert.equal(readlinkSync(fixture.path("link")), "folder/deep");
    const { filesDone, filesTotal, bytesDone, bytesTotal, bytesWritten, problems } = result;
    assert.deepEqual(
      { filesDone, filesTotal, bytesDone, bytesTotal, bytesWritten, problems },
      { filesDone: 8, filesTotal: 8, bytesDone: 28, bytesTotal: 28, bytesWritten: 28, problems: 0 },
    );
    assert.equal(result.totalsKnown, true);
  }
});

test("modes, owners, times to the nanosecond and attributes come back", async () => {
  await using fixture = await RestoreFixture.create();
  const content = dataBlob("content");
  const special = {
    mtime: "2001-02-03T04:05:06.123456789+07:00",
    atime: "1969-12-31T23:59:59.999999999Z",
    extended_attributes: [{ name: "user.colour", value: Buffer.from("blue\0green") }],
    ...(IS_ROOT ? { uid: 12_345, gid: 54_321 } : {}),
  };
  const nodes = [
    { ...fileNode("file", content), ...special, mode: (1 << 23) + 0o4 + 0o640 },
    { ...folderNode("folder", treeBlob([])), ...special, mode: 2 ** 31 + (1 << 20) + 0o1 + 0o750 },
    { ...symlinkNode("link", "nowhere"), ...special, extended_attributes: [] },
    node("pipe", { ...special, type: "fifo", mode: FIFO_MODE + 0o604, extended_attributes: [] }),
  ];
  const tree = treeBlob(nodes);
  await fixture.storeBlobs([content], [tree, treeBlob([])]);
  const result = await fixture.restore(tree);
  assert.deepEqual(result.problemsKept, []);
  const modes = { file: 0o104644, folder: 0o41751, link: 0o120777, pipe: 0o10604 };
  for (const [name, mode] of Object.entries(modes)) {
    const found = statAt(AT_FDCWD, fixture.path(name));
    assert.equal(found.mode.toString(8), mode.toString(8), name);
    assert.deepEqual(found.mtime, { seconds: 981_147_906, nanoseconds: 123_456_789 }, name);
    // The test itself may have read the folder or the link by now.
    if (name === "file") assert.deepEqual(found.atime, { seconds: -1, nanoseconds: 999_999_999 });
    if (IS_ROOT) assert.deepEqual([found.uid, found.gid], [12_345, 54_321], name);
  }
  for (const name of ["file", "folder"]) {
    assert.deepEqual(listXattrs(fixture.path(name)), ["user.colour"]);
    assert.equal(String(getXattr(fixture.path(name), "user.colour")), "blue\0green");
  }
});

test("names that are not UTF-8, long paths and a target made on the way", async () => {
  await using fixture = await RestoreFixture.create();
  const content = dataBlob("x");
  // 60 levels of 200 characters: three times what one system call takes as a path.
  const trees = [treeBlob([fileNode("\xff\xfe\x01 name\n", content)])];
  for (let level = 0; level < 60; level++) {
    trees.push(treeBlob([folderNode("d".repeat(200), trees.at(-1) as (typeof trees)[0])]));
  }
  await fixture.storeBlobs([content], trees);
  const tree = trees.at(-1) as (typeof trees)[0];
  const target = `${fixture.target}/made/on/the/way`;
  const result = await fixture.restore(tree, { target, verify: true });
  assert.deepEqual(result.problemsKept, []);
  assert.equal(result.filesDone, 61);
  assert.equal(result.filesVerified, 1);
  assert.equal(lstatSync(target).mode & 0o777, 0o700);
});

test("a blob that many files need, files over many packs and windows", async () => {
  await using fixture = await RestoreFixture.create();
  const shared = dataBlob("shared by all ");
  const files = Array.from({ length: 300 }, (_, i) => [
    shared,
    dataBlob(`first ${i} `),
    dataBlob(`second ${i}`),
    shared,
  ]);
  const nodes = files.map((blobs, i) => fileNode(`file ${String(i).padStart(3, "0")}`, ...blobs));
  const tree = treeBlob(nodes);
  // Neighbouring blobs of each file lie in different packs, and some in both.
  const blobs = [...new Set(files.flat())];
  const even = blobs.filter((_, i) => i % 2 === 0);
  const odd = blobs.filter((_, i) => i % 2 === 1 || i % 10 === 0);
  await fixture.storeBlobs(even, odd, [tree]);
  const result = await fixture.restore(tree, { workers: 2, verify: true });
  assert.deepEqual(result.problemsKept, []);
  assert.equal(result.filesVerified, 300);
  for (const [i, parts] of files.entries()) {
    const expected = Buffer.concat(parts.map(({ plaintext }) => plaintext));
    const name = `file ${String(i).padStart(3, "0")}`;
    assert.deepEqual(readFileSync(fixture.path(name)), expected);
    assert.equal(
      statSync(fixture.path(name), { bigint: true }).mtimeNs % 1_000_000_000n,
      678000000n,
    );
  }
});

test("a subpath's content lands in the target, and selections are relative to it", async () => {
  await using fixture = await RestoreFixture.create();
  const tree = await fixture.store({ a: { b: { keep: "1", drop: "2" }, other: "3" } });
  const result = await fixture.restore(tree, {
    subpath: "/a/x/../b/",
    select: (path) => ({ selected: path === "/keep", childMayBeSelected: true }),
  });
  assert.deepEqual(readdirSync(fixture.target), ["keep"]);
  assert.equal(result.filesTotal, 1);
  const isNotThere = (error: unknown): boolean => isComebackError(error, "snapshot.path-not-found");
  await assert.rejects(fixture.restore(tree, { subpath: "/a/nothing" }), isNotThere);
  await assert.rejects(fixture.restore(tree, { subpath: "/a/other" }), isNotThere);
});

test("only what is selected, and the folders that lead there", async () => {
  await using fixture = await RestoreFixture.create();
  const tree = await fixture.store({
    a: { wanted: "1", unwanted: "2", deep: { unwanted: "3" } },
    b: { unwanted: "4" },
    wanted: { unwanted: "5" },
  });
  const result = await fixture.restore(tree, {
    select: (path) => ({ selected: path.endsWith("/wanted"), childMayBeSelected: true }),
  });
  assert.deepEqual(readdirSync(fixture.target).sort(), ["a", "wanted"]);
  assert.deepEqual(readdirSync(fixture.path("a")), ["wanted"]);
  assert.deepEqual(readdirSync(fixture.path("wanted")), []);
  // The folder on the way has its own permissions, too.
  assert.equal(lstatSync(fixture.path("a")).mode & 0o777, 0o755);
  assert.equal(result.problems, 0);
});

test("a dry run counts and reports, and changes nothing", async () => {
  await using fixture = await RestoreFixture.create();
  const tree = await fixture.store({ a: "content", d: { b: "more" } });
  const result = await fixture.restore(tree, { dryRun: true });
  assert.deepEqual(readdirSync(fixture.folder), []);
  assert.equal(result.filesDone, 3);
  assert.equal(result.bytesDone, 11);
  assert.deepEqual(fixture.items.map(({ path, action }) => `${action} ${path}`).sort(), [
    "restored /a",
    "restored /d",
    "restored /d/b",
  ]);
  await fixture.restore(tree);
  await fixture.restore(tree, { dryRun: true, delete: true });
  assert.equal(fixture.items.filter(({ action }) => action === "unchanged").length, 2);
  assert.equal(fixture.text("a"), "content");
  await assert.rejects(fixture.restore(tree, { dryRun: true, verify: true }), (error) =>
    isComebackError(error, "option.invalid"),
  );
});

test("sockets are passed over, what nobody knows is named", async () => {
  await using fixture = await RestoreFixture.create();
  const notes: string[] = [];
  const tree = treeBlob([
    node("socket", { type: "socket", mode: 1 << 24 }),
    { ...node("strange", { type: "unknown", mode: 0 }), type_text: "door" },
    symlinkNode("z", "a"),
  ]);
  await fixture.storeBlobs([tree]);
  const result = await fixture.restore(tree, { observer: { onNote: (path) => notes.push(path) } });
  assert.deepEqual(notes, ["/socket"]);
  assert.deepEqual(readdirSync(fixture.target), ["z"]);
  assert.equal(result.problems, 1);
  assert.match(result.problemsKept[0]?.message ?? "", /unknown kind, "door"/);
  assert.equal(lstatSync(fixture.path("z")).mode & SYMLINK_MODE & 0o777, 0o777);
});
