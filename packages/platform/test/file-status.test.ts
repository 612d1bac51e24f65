import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import {
  AT_FDCWD,
  close,
  decodeDevice,
  encodeDevice,
  type FileStatus,
  isSystemCallError,
  mknodAt,
  O_RDONLY,
  openAt,
  S_IFIFO,
  statAt,
  statAtIfExists,
  statFd,
  utimensAt,
} from "../src/index.ts";
import { scratchFolder } from "./scratch-folder.ts";

/** The same facts through Node. */
function nodeStatus(path: string | Buffer, followSymlinks = false): FileStatus {
  const s = (followSymlinks ? statSync : lstatSync)(path, { bigint: true });
  const instant = (ns: bigint) => {
    const nanoseconds = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
    return {
      seconds: Number((ns - nanoseconds) / 1_000_000_000n),
      nanoseconds: Number(nanoseconds),
    };
  };
  return {
    mode: Number(s.mode),
    uid: Number(s.uid),
    gid: Number(s.gid),
    links: Number(s.nlink),
    inode: Number(s.ino),
    sizeBytes: Number(s.size),
    deviceId: Number(s.dev),
    device: Number(s.rdev),
    blocks512: Number(s.blocks),
    mtime: instant(s.mtimeNs),
    atime: instant(s.atimeNs),
    ctime: instant(s.ctimeNs),
  };
}

test("every kind of entry has the status that Node sees", async (t) => {
  const { fd, path } = scratchFolder(t);
  writeFileSync(`${path}/file`, "x".repeat(12_345), { mode: 0o4751 });
  mkdirSync(`${path}/folder`);
  symlinkSync("file", `${path}/link`);
  mknodAt(fd, "fifo", S_IFIFO | 0o640, 0);
  const server = createServer().listen(`${path}/socket`);
  await new Promise((resolve) => server.once("listening", resolve));
  for (const name of ["file", "folder", "link", "fifo", "socket"]) {
    assert.deepEqual(statAt(fd, name), nodeStatus(`${path}/${name}`), name);
    assert.deepEqual(statAt(AT_FDCWD, `${path}/${name}`), nodeStatus(`${path}/${name}`), name);
  }
  assert.deepEqual(statAt(fd, "link", { followSymlinks: true }), nodeStatus(`${path}/link`, true));
  assert.deepEqual(statAt(AT_FDCWD, "/dev/null"), nodeStatus("/dev/null"));
  assert.deepEqual(statAt(AT_FDCWD, "/proc/self/status").deviceId, nodeStatus("/proc").deviceId);
  const opened = openAt(fd, "file", O_RDONLY);
  assert.deepEqual(statFd(opened), nodeStatus(`${path}/file`));
  close(opened);
  await new Promise((resolve) => server.close(resolve));
});

test("names that are not UTF-8 and names of 255 bytes", (t) => {
  const { fd, path } = scratchFolder(t);
  for (const name of [
    "\xff\xfe bad",
    "caf\xe9",
    "\n\t\x01\x7f",
    "n".repeat(255),
    "\xe4".repeat(255),
  ]) {
    const nodeName = Buffer.concat([Buffer.from(`${path}/`), Buffer.from(name, "latin1")]);
    writeFileSync(nodeName, "1234567");
    assert.deepEqual(statAt(fd, name), nodeStatus(nodeName));
  }
});

test("times are exact to the nanosecond, also before 1970", (t) => {
  const { fd, path } = scratchFolder(t);
  writeFileSync(`${path}/file`, "");
  for (const [seconds, nanoseconds] of [
    [1_700_000_000, 123_456_789],
    [-1, 999_999_999],
    [-1_000_000_000, 1],
    [0, 0],
    [4_000_000_000, 5],
  ] as const) {
    utimensAt(fd, "file", { seconds: 77, nanoseconds: 7 }, { seconds, nanoseconds });
    const status = statAt(fd, "file");
    assert.deepEqual(status.mtime, { seconds, nanoseconds });
    assert.deepEqual(status.atime, { seconds: 77, nanoseconds: 7 });
    const text = execFileSync("stat", ["-c", "%.9Y", `${path}/file`], { encoding: "utf8" }).trim();
    assert.equal(text, nanosecondText(seconds, nanoseconds));
  }
});

function nanosecondText(seconds: number, nanoseconds: number): string {
  const total = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
  const digits = (total < 0n ? -total : total).toString().padStart(10, "0");
  return `${total < 0n ? "-" : ""}${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

test("what is missing throws ENOENT, or is undefined where that is asked for", (t) => {
  const { fd } = scratchFolder(t);
  assert.throws(
    () => statAt(fd, "none"),
    (error) => isSystemCallError(error, "ENOENT"),
  );
  assert.equal(statAtIfExists(fd, "none"), undefined);
  assert.throws(
    () => statAtIfExists(fd, "n".repeat(256)),
    (e) => isSystemCallError(e, "ENAMETOOLONG"),
  );
});

test("property: device numbers follow the C library's makedev, and back", () => {
  const makedev = (major: bigint, minor: bigint) =>
    ((major & 0xfffff000n) << 32n) |
    ((major & 0xfffn) << 8n) |
    ((minor & 0xffffff00n) << 12n) |
    (minor & 0xffn);
  const u32 = fc.oneof(fc.nat(0xfff), fc.nat(0xfffff), fc.integer({ min: 0, max: 0xffffffff }));
  fc.assert(
    fc.property(u32, u32, (major, minor) => {
      const device = encodeDevice(major, minor);
      assert.equal(BigInt(device), makedev(BigInt(major), BigInt(minor)));
      assert.equal(typeof device === "number", BigInt(device) <= BigInt(Number.MAX_SAFE_INTEGER));
      assert.deepEqual(decodeDevice(device), { major, minor });
    }),
  );
});
