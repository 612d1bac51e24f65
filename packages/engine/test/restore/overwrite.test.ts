import assert from "node:assert/strict";
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { test } from "node:test";
import { setXattr, listXattrs, utimensAt, AT_FDCWD } from "@comeback/platform";
import { parseTime } from "../../src/tree/time-text.ts";
import { OVERWRITE_MODES, type OverwriteMode } from "../../src/restore/restore-options.ts";
import { dataBlob, fileNode, node, treeBlob } from "../repository-builder.ts";
import { RestoreFixture, symlinkNode } from "./restore-fixture.ts";

/** The modification time of every entry that a test stores. */
const STORED = parseTime(node("x", {}).mtime);

function setTime(path: string, difference: number): void {
  const time = { ...STORED, seconds: STORED.seconds + difference };
  utimensAt(AT_FDCWD, path, time, time);
}

/** What becomes of an existing file of each kind, in each mode. */
const EXPECTED: Readonly<Record<OverwriteMode, Readonly<Record<string, string>>>> = {
  always: { older: "stored", newer: "stored", alike: "stored", missing: "stored" },
  // Same size and time are taken for the same content.
  "if-changed": { older: "stored", newer: "stored", alike: "locale", missing: "stored" },
  "if-newer": { older: "stored", newer: "locale", alike: "locale", missing: "stored" },
  never: { older: "locale", newer: "locale", alike: "locale", missing: "stored" },
};

for (const mode of OVERWRITE_MODES) {
  test(`overwrite ${mode}`, async () => {
    await using fixture = await RestoreFixture.create();
    const names = ["older", "newer", "alike", "missing"];
    const tree = await fixture.store({
      d: Object.fromEntries(names.map((name) => [name, "stored"])),
      link: symlinkNode("link", "stored"),
    });
    fixture.makeTarget("d");
    for (const [name, difference] of Object.entries({ older: -10, newer: 10, alike: 0 })) {
      writeFileSync(fixture.path("d", name), "locale");
      setTime(fixture.path("d", name), difference);
    }
    symlinkSync("local", fixture.path("link"));
    const result = await fixture.restore(tree, { overwrite: mode });
    assert.deepEqual(result.problemsKept, []);
    const found = Object.fromEntries(names.map((name) => [name, fixture.text("d", name)]));
    assert.deepEqual(found, EXPECTED[mode]);
    // A link's own time was now, which is later than what is stored.
    const isKept = mode === "never" || mode === "if-newer";
    assert.equal(readlinkSync(fixture.path("link")), isKept ? "local" : "stored");
    const kept = Object.values(EXPECTED[mode]).filter((text) => text === "locale").length;
    assert.equal(result.filesSkipped, kept + (isKept ? 1 : 0));
    assert.equal(result.filesDone + result.filesSkipped, 6);
    assert.equal(result.bytesSkipped, kept * 6);
  });
}

test("only the blobs that differ are written, and the file stays the same one", async () => {
  await using fixture = await RestoreFixture.create();
  const parts = ["first part ", "second part ", "third part ", "fourth part"];
  const tree = await fixture.store({ file: parts, same: parts, longer: parts, shorter: parts });
  await fixture.restore(tree);
  const whole = parts.join("");
  writeFileSync(fixture.path("file"), whole.replace("second", "SECOND"));
  writeFileSync(fixture.path("longer"), `${whole} and more`);
  writeFileSync(fixture.path("shorter"), whole.slice(0, -3));
  const inode = statSync(fixture.path("file")).ino;
  const result = await fixture.restore(tree, { verify: true });
  for (const name of ["file", "same", "longer", "shorter"]) {
    assert.equal(fixture.text(name), whole, name);
    const { mtimeMs } = statSync(fixture.path(name));
    assert.equal(mtimeMs, STORED.seconds * 1000 + STORED.nanoseconds / 1e6, name);
  }
  assert.equal(statSync(fixture.path("file")).ino, inode);
  assert.equal(result.bytesWritten, "second part ".length + "fourth part".length);
  assert.equal(result.bytesDone, 3 * whole.length);
  assert.equal(result.filesSkipped, 1);
  assert.equal(result.filesVerified, 3);
});

test("an unchanged file gets its attributes back without being read", async () => {
  await using fixture = await RestoreFixture.create();
  const tree = await fixture.store({ file: "content" });
  await fixture.restore(tree);
  const path = fixture.path("file");
  chmodSync(path, 0o7);
  setXattr(path, "user.surplus", Buffer.from("x"));
  setTime(path, 0);
  const result = await fixture.restore(tree, { overwrite: "if-changed" });
  assert.equal(result.filesSkipped, 1);
  assert.equal(result.bytesWritten, 0);
  assert.equal(lstatSync(path).mode & 0o777, 0o644);
  assert.deepEqual(listXattrs(path), []);
});

test("other kinds of entry in the way", async () => {
  await using fixture = await RestoreFixture.create();
  const tree = await fixture.store({
    "file for folder": { inside: "1" },
    "folder for file": "2",
    "full folder for file": "3",
    "link for file": "4",
    "folder for link": symlinkNode("folder for link", "x"),
  });
  fixture.makeTarget("folder for file");
  fixture.makeTarget("full folder for file", "something");
  fixture.makeTarget("folder for link");
  writeFileSync(fixture.path("file for folder"), "");
  symlinkSync("nowhere", fixture.path("link for file"));
  const result = await fixture.restore(tree);
  assert.equal(fixture.text("file for folder", "inside"), "1");
  assert.equal(fixture.text("folder for file"), "2");
  assert.equal(fixture.text("link for file"), "4");
  assert.equal(readlinkSync(fixture.path("folder for link")), "x");
  assert.equal(result.problems, 1);
  assert.equal(result.problemsKept[0]?.path, "/full folder for file");
  assert.match(result.problemsKept[0]?.message ?? "", /not empty/);
  assert.deepEqual(readdirSync(fixture.path("full folder for file")), ["something"]);
  // What --delete removes may also go where it is in the way.
  const second = await fixture.restore(tree, { delete: true });
  assert.deepEqual(second.problemsKept, []);
  assert.equal(fixture.text("full folder for file"), "3");
});

test("with never, even a file in the way of a folder stays", async () => {
  await using fixture = await RestoreFixture.create();
  const tree = await fixture.store({ d: { inside: "1" }, f: "2" });
  fixture.makeTarget();
  writeFileSync(fixture.path("d"), "mine");
  mkdirSync(fixture.path("f"));
  const result = await fixture.restore(tree, { overwrite: "never" });
  assert.equal(fixture.text("d"), "mine");
  assert.equal(result.problems, 1);
  assert.equal(result.problemsKept[0]?.path, "/d");
  assert.match(result.problemsKept[0]?.message ?? "", /nothing below it is restored/);
});

test("a file with other names outside of the snapshot is replaced, not written into", async () => {
  await using fixture = await RestoreFixture.create();
  const parts = ["one ", "two"];
  const tree = await fixture.store({ file: parts });
  fixture.makeTarget();
  writeFileSync(fixture.path("mine"), "one TWO");
  linkSync(fixture.path("mine"), fixture.path("file"));
  const result = await fixture.restore(tree);
  assert.equal(fixture.text("mine"), "one TWO");
  assert.equal(fixture.text("file"), "one two");
  assert.equal(result.bytesWritten, 7);
});

test("files that nobody may write are written all the same", async () => {
  await using fixture = await RestoreFixture.create();
  const blob = dataBlob("content");
  const tree = treeBlob([{ ...fileNode("file", blob), mode: 0o400 }]);
  await fixture.storeBlobs([blob], [tree]);
  fixture.makeTarget();
  writeFileSync(fixture.path("file"), "other", { mode: 0o000 });
  utimesSync(fixture.path("file"), 1, 1);
  const result = await fixture.restore(tree);
  assert.deepEqual(result.problemsKept, []);
  assert.equal(fixture.text("file"), "content");
  assert.equal(lstatSync(fixture.path("file")).mode & 0o777, 0o400);
});
