import assert from "node:assert/strict";
import { symlinkSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import {
  chmodAt,
  chmodThroughDescriptor,
  chownAt,
  close,
  fchmod,
  fchown,
  futimens,
  isSystemCallError,
  O_RDWR,
  openAt,
  statAt,
  statFd,
  utimensAt,
} from "../src/index.ts";
import { scratchFolder } from "./scratch-folder.ts";

test("times of files, descriptors and symlinks themselves", (t) => {
  const { fd, path } = scratchFolder(t);
  writeFileSync(`${path}/file`, "");
  symlinkSync("file", `${path}/link`);
  const atime = { seconds: 1_600_000_000, nanoseconds: 1 };
  const mtime = { seconds: 1_500_000_000, nanoseconds: 999_999_999 };
  const before = statAt(fd, "file");
  utimensAt(fd, "link", atime, mtime);
  assert.deepEqual([statAt(fd, "link").atime, statAt(fd, "link").mtime], [atime, mtime]);
  assert.deepEqual(statAt(fd, "file").mtime, before.mtime);
  const file = openAt(fd, "file", O_RDWR);
  futimens(file, atime, mtime);
  assert.deepEqual([statFd(file).atime, statFd(file).mtime], [atime, mtime]);
  futimens(file, undefined, atime);
  assert.deepEqual([statFd(file).atime, statFd(file).mtime], [atime, atime]);
  close(file);
  assert.throws(
    () => utimensAt(fd, "none", atime, mtime),
    (error) => isSystemCallError(error, "ENOENT"),
  );
});

test("permissions, also by the way of older kernels; never those of a symlink's target", (t) => {
  const { fd, path } = scratchFolder(t);
  writeFileSync(`${path}/file`, "");
  symlinkSync("file", `${path}/link`);
  let mode = 0o4751;
  for (const change of [chmodAt, chmodThroughDescriptor]) {
    change(fd, "file", mode);
    assert.equal(statAt(fd, "file").mode & 0o7777, mode);
    assert.throws(
      () => change(fd, "link", 0o777),
      (error) => isSystemCallError(error, "ENOTSUP"),
    );
    assert.equal(statAt(fd, "file").mode & 0o7777, mode);
    mode = 0o640;
  }
  const file = openAt(fd, "file", O_RDWR);
  fchmod(file, 0o1600);
  assert.equal(statFd(file).mode & 0o7777, 0o1600);
  close(file);
});

test("owners, of the symlink itself; -1 leaves one (others than root may only keep theirs)", (t) => {
  const { fd, path } = scratchFolder(t);
  writeFileSync(`${path}/file`, "");
  symlinkSync("file", `${path}/link`);
  const isRoot = process.getuid!() === 0;
  const uid = isRoot ? 12_345 : process.getuid!();
  const gid = isRoot ? 4_000_000_000 : process.getgid!();
  const before = statAt(fd, "file");
  chownAt(fd, "link", uid, gid);
  assert.deepEqual([statAt(fd, "link").uid, statAt(fd, "link").gid], [uid, gid]);
  assert.deepEqual([statAt(fd, "file").uid, statAt(fd, "file").gid], [before.uid, before.gid]);
  const file = openAt(fd, "file", O_RDWR);
  fchown(file, uid, -1);
  assert.deepEqual([statFd(file).uid, statFd(file).gid], [uid, before.gid]);
  close(file);
});
