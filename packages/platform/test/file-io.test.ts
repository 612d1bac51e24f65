import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import {
  allocate,
  close,
  fsync,
  fsyncFs,
  ftruncate,
  isSystemCallError,
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  openAt,
  readInto,
  seekData,
  seekHole,
  statFd,
  writeFrom,
} from "../src/index.ts";
import { scratchFolder } from "./scratch-folder.ts";

test("reads and writes at offsets and in sequence", (t) => {
  const { fd, path } = scratchFolder(t);
  const file = openAt(fd, "file", O_RDWR | O_CREAT, 0o600);
  const content = Buffer.from("0123456789abcdef");
  assert.equal(writeFrom(file, content, 4, 8, 0), 8);
  assert.equal(writeFrom(file, content, 0, 2, 8), 2);
  assert.equal(readFileSync(`${path}/file`, "utf8"), "456789ab01");
  const buffer = new Uint8Array(8).fill(0x2e);
  assert.equal(readInto(file, buffer, 3, 4, 6), 4);
  assert.equal(Buffer.from(buffer).toString(), "...ab01.");
  assert.equal(readInto(file, buffer, 0, 5, -1), 5);
  assert.equal(readInto(file, buffer, 5, 3, -1), 3);
  assert.equal(Buffer.from(buffer).toString(), "456789ab");
  assert.equal(readInto(file, buffer, 0, 8, 100), 0);
  assert.equal(writeFrom(file, content, 0, 0, 0), 0);
  fsync(file);
  fsyncFs(file);
  close(file);
});

test("a range beyond the buffer is refused before the kernel sees it", (t) => {
  const { fd, path } = scratchFolder(t);
  writeFileSync(`${path}/file`, "x".repeat(100));
  const file = openAt(fd, "file", O_RDONLY);
  const buffer = new Uint8Array(10);
  for (const [offset, length] of [
    [0, 11],
    [5, 6],
    [-1, 4],
    [0, -1],
  ] as const) {
    assert.throws(() => readInto(file, buffer, offset, length, 0), /internal check failed/);
  }
  assert.throws(
    () => writeFrom(file, buffer, 0, 4, 0),
    (error) => isSystemCallError(error, "EBADF"),
  );
  close(file);
});

test("holes are found, sizes set, space reserved", (t) => {
  const { fd } = scratchFolder(t);
  const file = openAt(fd, "sparse", O_RDWR | O_CREAT, 0o600);
  const size = 64 * 1024 * 1024 * 1024;
  ftruncate(file, size);
  assert.equal(seekData(file, 0), -1);
  assert.equal(seekHole(file, 0), 0);
  const offset = 5 * 1024 * 1024 * 1024;
  writeFrom(file, Buffer.alloc(4096, 1), 0, 4096, offset);
  assert.equal(seekData(file, 0), offset);
  assert.equal(seekHole(file, offset), offset + 4096);
  assert.equal(statFd(file).sizeBytes, size);
  ftruncate(file, 10);
  assert.equal(statFd(file).sizeBytes, 10);
  const reserved = allocate(file, 1024 * 1024);
  assert.equal(statFd(file).sizeBytes, 10, "reserving space leaves the size");
  assert.equal(statFd(file).blocks512 >= 2048, reserved);
  close(file);
});
