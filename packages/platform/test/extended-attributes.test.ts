import assert from "node:assert/strict";
import { symlinkSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import {
  close,
  getXattr,
  isSystemCallError,
  listXattrs,
  O_RDWR,
  openAt,
  removeXattr,
  setXattr,
  useXattrAt,
} from "../src/index.ts";
import { scratchFolder } from "./scratch-folder.ts";

const isCode = (code: string) => (error: unknown) => isSystemCallError(error, code);

for (const way of ["new calls", "through /proc"]) {
  test(`attributes by path, by name in a folder and by descriptor (${way})`, (t) => {
    useXattrAt(way === "new calls");
    t.after(() => {
      useXattrAt(true);
    });
    const { fd, path } = scratchFolder(t);
    const name = "f\xffile";
    const bytes = Buffer.concat([Buffer.from(`${path}/`), Buffer.from(name, "latin1")]);
    writeFileSync(bytes, "");
    const file = openAt(fd, name, O_RDWR);
    for (const subject of [
      `${path}/${name}`,
      { dirFd: fd, name },
      { dirFd: -100, name: `${path}/${name}` },
      file,
    ]) {
      assert.deepEqual(listXattrs(subject), []);
      assert.equal(getXattr(subject, "user.none"), undefined);
      setXattr(subject, "user.bytes", Uint8Array.of(0, 255, 10, 0));
      setXattr(subject, "user.empty", new Uint8Array());
      setXattr(subject, "user.na\xefve", Buffer.from("replaced"));
      setXattr(subject, "user.na\xefve", Buffer.from("value"));
      assert.deepEqual(listXattrs(subject).sort(), ["user.bytes", "user.empty", "user.na\xefve"]);
      assert.deepEqual(getXattr(subject, "user.bytes"), Buffer.of(0, 255, 10, 0));
      assert.deepEqual(getXattr(subject, "user.empty"), Buffer.alloc(0));
      assert.deepEqual(getXattr(subject, "user.na\xefve"), Buffer.from("value"));
      for (const each of listXattrs(subject)) removeXattr(subject, each);
      assert.throws(() => removeXattr(subject, "user.bytes"), isCode("ENODATA"));
      assert.deepEqual(listXattrs(subject), []);
    }
    close(file);
  });

  test(`a symlink's own attributes, not its target's (${way})`, (t) => {
    useXattrAt(way === "new calls");
    t.after(() => {
      useXattrAt(true);
    });
    const { fd, path } = scratchFolder(t);
    writeFileSync(`${path}/file`, "");
    symlinkSync("file", `${path}/link`);
    setXattr(`${path}/file`, "user.of-file", Buffer.from("1"));
    for (const subject of [`${path}/link`, { dirFd: fd, name: "link" }]) {
      assert.deepEqual(listXattrs(subject), []);
      // The kernel allows no user attributes on symlinks.
      assert.throws(() => setXattr(subject, "user.of-link", Buffer.from("2")), isCode("EPERM"));
      if (process.getuid!() === 0) {
        setXattr(subject, "trusted.of-link", Buffer.from("3"));
        assert.deepEqual(listXattrs(subject), ["trusted.of-link"]);
        assert.deepEqual(getXattr(subject, "trusted.of-link"), Buffer.from("3"));
        removeXattr(subject, "trusted.of-link");
      }
    }
    assert.deepEqual(listXattrs(`${path}/file`), ["user.of-file"]);
    assert.throws(() => listXattrs({ dirFd: fd, name: "none" }), isCode("ENOENT"));
    assert.throws(() => listXattrs(`${path}/none`), isCode("ENOENT"));
  });
}

test("a file system without attributes has none", () => {
  assert.deepEqual(listXattrs("/proc/self/status"), []);
});

test("a value too large for any file system is refused", (t) => {
  const { path } = scratchFolder(t);
  writeFileSync(`${path}/file`, "");
  assert.throws(
    () => setXattr(`${path}/file`, "user.big", new Uint8Array(64 * 1024 + 1)),
    isCode("E2BIG"),
  );
});
