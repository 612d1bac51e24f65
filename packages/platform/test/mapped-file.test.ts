import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { MappedFile } from "../src/mapped-file.ts";
import { scratchFolder } from "./scratch-folder.ts";

const MiB = 1024 * 1024;

function residentBytes(): number {
  const status = readFileSync("/proc/self/status", "utf8");
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1024;
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function makeFile(t: TestContext): MappedFile {
  const file = MappedFile.create(scratchFolder(t).path, 64 * MiB);
  assert.ok(file !== undefined);
  return file;
}

describe("a mapped file", () => {
  it("gives back what was written, and has no name", async (t) => {
    const { path: folder } = scratchFolder(t);
    using file = MappedFile.create(folder, 8 * MiB);
    assert.ok(file !== undefined);
    assert.deepEqual(readdirSync(folder), []);
    for (const byte of [1, 2]) {
      const data = new Uint8Array(3 * MiB + byte).fill(byte);
      const bytes = await file.write(data);
      file.forgetPages();
      assert.ok(Buffer.compare(bytes, data) === 0);
    }
    await assert.rejects(file.write(new Uint8Array(9 * MiB)), RangeError);
  });

  it("is not this process's memory once its pages are forgotten", async (t) => {
    using file = makeFile(t);
    const expected = new Uint8Array(64 * MiB).fill(5);
    const bytes = await file.write(expected);
    const before = residentBytes();
    assert.equal(hashOf(bytes), hashOf(expected));
    assert.ok(residentBytes() - before > 48 * MiB);
    file.forgetPages();
    assert.ok(residentBytes() - before < 16 * MiB);
    assert.equal(hashOf(bytes), hashOf(expected));
  });

  it("reads as zeros once it is cleared, and may be read after it is disposed", async (t) => {
    const file = makeFile(t);
    const bytes = await file.write(new Uint8Array(1000).fill(9));
    file.clear();
    assert.deepEqual(new Set(bytes), new Set([0]));
    await file.write(new Uint8Array(1000).fill(8));
    file[Symbol.dispose]();
    file[Symbol.dispose]();
    assert.deepEqual(new Set(bytes), new Set([0]));
  });

  it("says why where there is no such folder", (t) => {
    const missing = join(scratchFolder(t).path, "missing");
    assert.throws(() => MappedFile.create(missing, MiB), { code: "ENOENT" });
  });
});
