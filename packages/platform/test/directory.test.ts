import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import {
  close,
  isSystemCallError,
  linkAt,
  mkdirAt,
  mknodAt,
  O_CREAT,
  O_DIRECTORY,
  O_RDONLY,
  O_WRONLY,
  openAt,
  readDirectory,
  readDirectoryNames,
  readLinkAt,
  renameAt,
  S_IFCHR,
  S_IFIFO,
  statAt,
  symlinkAt,
  unlinkAt,
} from "../src/index.ts";
import { scratchFolder } from "./scratch-folder.ts";

const isCode = (code: string) => (error: unknown) => isSystemCallError(error, code);

test("a listing names every entry with its kind", (t) => {
  const { fd, path } = scratchFolder(t);
  writeFileSync(`${path}/file`, "");
  mkdirSync(`${path}/folder`);
  symlinkSync("nowhere", `${path}/link`);
  mknodAt(fd, "fifo", S_IFIFO | 0o600, 0);
  const entries = readDirectory(fd).sort((a, b) => (a.name < b.name ? -1 : 1));
  assert.deepEqual(entries, [
    { name: "fifo", type: "fifo" },
    { name: "file", type: "file" },
    { name: "folder", type: "dir" },
    { name: "link", type: "symlink" },
  ]);
  assert.deepEqual(readDirectory(fd), [], "a descriptor is read once");
});

test("20,000 entries, more than one buffer, each once", (t) => {
  const { path } = scratchFolder(t);
  const wanted = Array.from({ length: 20_000 }, (_, i) => `entry-${String(i).padStart(30, "0")}`);
  for (const name of wanted) writeFileSync(`${path}/${name}`, "");
  const fd = openAt(-100, path, O_RDONLY | O_DIRECTORY);
  assert.deepEqual(readDirectoryNames(fd).sort(), wanted);
  close(fd);
});

test("property: any name a folder can hold comes back byte for byte", (t) => {
  const { path } = scratchFolder(t);
  const nameByte = fc.integer({ min: 1, max: 255 }).filter((byte) => byte !== 0x2f);
  const name = fc
    .array(nameByte, { minLength: 1, maxLength: 255 })
    .map((bytes) => String.fromCharCode(...bytes))
    .filter((text) => text !== "." && text !== "..");
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 20 }), (names) => {
      mkdirSync(`${path}/case`);
      const fd = openAt(-100, `${path}/case`, O_RDONLY | O_DIRECTORY);
      for (const each of names) close(openAt(fd, each, O_CREAT | O_WRONLY, 0o600));
      const found = readDirectoryNames(fd).sort();
      assert.deepEqual(found, names.toSorted());
      const seenByNode = readdirSync(`${path}/case`, { encoding: "latin1" }).sort();
      assert.deepEqual(found, seenByNode);
      for (const each of names) unlinkAt(fd, each);
      close(fd);
      unlinkAt(-100, `${path}/case`, { directory: true });
    }),
    { numRuns: 30 },
  );
});

test("links, renames and removals", (t) => {
  const { fd, path } = scratchFolder(t);
  const target = `\xff${"t".repeat(3000)}`;
  symlinkAt(target, fd, "link");
  assert.equal(readLinkAt(fd, "link"), target);
  assert.deepEqual(
    readlinkSync(`${path}/link`, { encoding: "buffer" }),
    Buffer.from(target, "latin1"),
  );
  linkAt(fd, "link", fd, "second");
  assert.equal(statAt(fd, "second").links, 2);
  assert.equal(statAt(fd, "second").inode, statAt(fd, "link").inode);
  mkdirAt(fd, "folder", 0o750);
  renameAt(fd, "second", fd, "folder/moved");
  assert.equal(readLinkAt(fd, "folder/moved"), target);
  assert.throws(() => unlinkAt(fd, "folder", { directory: true }), isCode("ENOTEMPTY"));
  assert.throws(() => unlinkAt(fd, "folder"), isCode("EISDIR"));
  unlinkAt(fd, "folder/moved");
  unlinkAt(fd, "folder", { directory: true });
  unlinkAt(fd, "link");
  assert.deepEqual(readdirSync(path), []);
  assert.throws(() => readLinkAt(fd, "link"), isCode("ENOENT"));
});

test("a device node carries its numbers (where the user may make one)", (t) => {
  const { fd } = scratchFolder(t);
  if (process.getuid!() === 0) {
    mknodAt(fd, "null", S_IFCHR | 0o666, 0x103);
    assert.equal(statAt(fd, "null").device, 0x103);
    assert.equal(statAt(fd, "null").device, statAt(-100, "/dev/null").device);
  } else {
    assert.throws(() => mknodAt(fd, "null", S_IFCHR | 0o666, 0x103), isCode("EPERM"));
  }
});
