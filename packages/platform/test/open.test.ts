import assert from "node:assert/strict";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import {
  close,
  isSymlinkRefusal,
  isSystemCallError,
  mkdirAt,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_RDONLY,
  O_WRONLY,
  openAt,
  openBeneath,
  openBeneathByComponents,
  openPath,
  readInto,
  statFd,
  unlinkAt,
  writeFrom,
} from "../src/index.ts";
import { scratchFolder } from "./scratch-folder.ts";

const isCode = (code: string) => (error: unknown) => isSystemCallError(error, code);

test("openAt creates with the mode, refuses what exists, and names the failure", (t) => {
  const { fd, path } = scratchFolder(t);
  const file = openAt(fd, "new", O_WRONLY | O_CREAT | O_EXCL, 0o640);
  assert.equal(statFd(file).mode & 0o777, 0o640);
  assert.equal(writeFrom(file, Buffer.from("hello"), 0, 5, -1), 5);
  close(file);
  assert.equal(readFileSync(`${path}/new`, "utf8"), "hello");
  assert.throws(() => openAt(fd, "new", O_WRONLY | O_CREAT | O_EXCL, 0o640), isCode("EEXIST"));
  assert.throws(
    () => openAt(fd, "caf\xc3\xa9", O_RDONLY),
    (error) => {
      assert.ok(isSystemCallError(error));
      assert.equal(error.message, "ENOENT: no such file or directory, openat 'café'");
      assert.equal(error.reason, "no such file or directory");
      assert.deepEqual([error.code, error.errno, error.path], ["ENOENT", 2, "caf\xc3\xa9"]);
      return true;
    },
  );
});

test("a path with a NUL is refused instead of cut", (t) => {
  const { fd, path } = scratchFolder(t);
  writeFileSync(`${path}/a`, "");
  assert.throws(() => openAt(fd, "a\0b", O_RDONLY), isCode("EINVAL"));
  assert.throws(() => unlinkAt(fd, "a\0b"), isCode("EINVAL"));
  assert.equal(readFileSync(`${path}/a`, "utf8"), "");
});

test("a closed descriptor gives EBADF", (t) => {
  const { fd } = scratchFolder(t);
  const file = openAt(fd, "x", O_WRONLY | O_CREAT, 0o600);
  close(file);
  assert.throws(() => close(file), isCode("EBADF"));
});

for (const [name, open] of [
  ["openBeneath", openBeneath],
  ["openBeneathByComponents", openBeneathByComponents],
] as const) {
  test(`${name} opens below the folder and nothing else`, (t) => {
    const { fd, path } = scratchFolder(t);
    mkdirSync(`${path}/inside/deep`, { recursive: true });
    writeFileSync(`${path}/inside/deep/file`, "content");
    writeFileSync(`${path}/secret`, "secret");
    symlinkSync("deep", `${path}/inside/link`);
    symlinkSync("/etc", `${path}/inside/etc`);
    symlinkSync("../secret", `${path}/inside/planted`);
    const inside = openAt(fd, "inside", O_RDONLY | O_DIRECTORY);
    t.after(() => {
      close(inside);
    });

    for (const good of ["deep/file", "./deep//file", "deep/./file"]) {
      const file = open(inside, good, O_RDONLY);
      const bytes = Buffer.alloc(16);
      assert.equal(bytes.toString("latin1", 0, readInto(file, bytes, 0, 16, 0)), "content");
      close(file);
    }
    close(open(inside, ".", O_RDONLY | O_DIRECTORY));
    for (const bad of ["link/file", "etc/passwd", "planted", "etc"]) {
      assert.throws(() => open(inside, bad, O_RDONLY), isSymlinkRefusal, bad);
      assert.throws(() => open(inside, bad, O_RDONLY | O_NOFOLLOW), isSymlinkRefusal, bad);
    }
    for (const bad of ["../secret", "/etc/passwd", "deep/../../secret"]) {
      assert.throws(() => open(inside, bad, O_RDONLY), isCode("EXDEV"), bad);
    }
    assert.throws(() => open(inside, "", O_RDONLY), isCode("ENOENT"));
    assert.throws(() => open(inside, "deep/none", O_RDONLY), isCode("ENOENT"));
    const made = open(inside, "deep/made", O_WRONLY | O_CREAT, 0o600);
    assert.equal(statFd(made).mode & 0o777, 0o600);
    close(made);
  });
}

test("openPath and openBeneath reach files beyond PATH_MAX", (t) => {
  const { fd, path } = scratchFolder(t);
  const name = "d".repeat(250);
  let current = fd;
  const parents: number[] = [];
  for (let depth = 0; depth < 40; depth++) {
    mkdirAt(current, name, 0o700);
    current = openAt(current, name, O_RDONLY | O_DIRECTORY);
    parents.push(current);
  }
  const file = openAt(current, "file", O_WRONLY | O_CREAT, 0o600);
  writeFrom(file, Buffer.from("deep"), 0, 4, 0);
  const wanted = statFd(file);
  close(file);

  const below = `${`${name}/`.repeat(40)}file`;
  assert.ok(below.length > 10_000);
  for (const opened of [
    openPath(`${path}/${below}`, O_RDONLY),
    openPath(`${path}//${below}`, O_RDONLY | O_NOFOLLOW),
    openBeneath(fd, below, O_RDONLY),
  ]) {
    assert.deepEqual(statFd(opened), wanted);
    close(opened);
  }
  assert.throws(() => openAt(fd, below, O_RDONLY), isCode("ENAMETOOLONG"));
  assert.throws(() => openPath("x".repeat(5000), O_RDONLY), isCode("ENAMETOOLONG"));

  // The test runner's own removal knows no paths of this length.
  unlinkAt(current, "file");
  while (parents.length > 0) {
    close(parents.pop()!);
    unlinkAt(parents.at(-1) ?? fd, name, { directory: true });
  }
});
