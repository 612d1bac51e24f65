import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { DumpEntry } from "../../src/dump/dump-parts.ts";
import { TAR_BLOCK_BYTES, tarHeader, tarPadding } from "../../src/dump/tar-header.ts";
import { goModeFromStat } from "../../src/tree/mode.ts";
import { formatTime } from "../../src/tree/time-text.ts";
import type { TreeNode } from "../../src/tree/types.ts";
import { node } from "../repository-builder.ts";

function entry(path: string, fields: Partial<TreeNode>, more: Partial<DumpEntry> = {}): DumpEntry {
  return { path, node: node(path, fields), sizeBytes: 0, ...more };
}

interface Parsed {
  readonly plain: Buffer;
  readonly records: Map<string, string>;
}

/** The plain header, and the records before it; checks the sums and the blocks. */
function parsed(header: Buffer): Parsed {
  assert.equal(header.length % TAR_BLOCK_BYTES, 0);
  const records = new Map<string, string>();
  let plain = header;
  if (header.toString("latin1", 156, 157) === "x") {
    assertSum(header);
    const length = octal(header, 124, 11);
    readRecords(header.subarray(TAR_BLOCK_BYTES, TAR_BLOCK_BYTES + length), records);
    plain = header.subarray(header.length - TAR_BLOCK_BYTES);
  }
  assert.equal(plain.length, TAR_BLOCK_BYTES);
  assertSum(plain);
  assert.equal(plain.toString("latin1", 257, 265), "ustar\x0000");
  return { plain, records };
}

function readRecords(bytes: Buffer, records: Map<string, string>): void {
  for (let at = 0; at < bytes.length;) {
    const length = Number.parseInt(bytes.toString("latin1", at, at + 20), 10);
    const text = bytes.toString("latin1", at, at + length);
    const [, key = "", value = ""] = /^\d+ ([^=]*)=([^]*)\n$/.exec(text) ?? assert.fail(text);
    records.set(key, value);
    at += length;
  }
}

function octal(block: Buffer, at: number, digits: number): number {
  return Number.parseInt(block.toString("latin1", at, at + digits), 8);
}

function assertSum(block: Buffer): void {
  const without = Buffer.from(block.subarray(0, TAR_BLOCK_BYTES));
  without.fill(" ", 148, 156);
  assert.equal(
    octal(block, 148, 6),
    without.reduce((sum, byte) => sum + byte, 0),
  );
}

describe("tar headers", () => {
  it("say everything in the plain header where it fits", () => {
    const times = { mtime: "2026-01-02T03:04:05Z", atime: NO_TIME, ctime: NO_TIME };
    const { plain, records } = parsed(
      tarHeader(entry("a/b", { ...times, mode: goModeFromStat(0o104755) }, { sizeBytes: 99 })),
    );
    assert.equal(records.size, 0);
    assert.equal(plain.toString("latin1", 0, 4), "a/b\0");
    assert.equal(octal(plain, 100, 7), 0o4755);
    assert.equal(octal(plain, 124, 11), 99);
    assert.equal(octal(plain, 136, 11), Date.UTC(2026, 0, 2, 3, 4, 5) / 1000);
    assert.equal(plain.toString("latin1", 156, 157), "0");
  });

  it("keep any name, size and owner", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.maxSafeNat(),
        fc.nat(0xffff_ffff),
        (bytes, sizeBytes, uid) => {
          const name = Buffer.from(bytes).toString("latin1").replaceAll("\0", "x");
          const { plain, records } = parsed(tarHeader(entry(name, { uid }, { sizeBytes })));
          const cut = plain.toString("latin1", 0, 100).replace(/\0.*$/s, "");
          assert.equal(records.get("path") ?? cut, name);
          assert.equal(Number(records.get("size") ?? octal(plain, 124, 11)), sizeBytes);
          assert.equal(Number(records.get("uid") ?? octal(plain, 108, 7)), uid);
        },
      ),
    );
  });

  it("keep times to the nanosecond, also before 1970", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -60_000_000_000, max: 200_000_000_000 }),
        fc.nat(999_999_999),
        (seconds, nanoseconds) => {
          const mtime = formatTime({ seconds, nanoseconds });
          const { plain, records } = parsed(tarHeader(entry("a", { mtime })));
          const text = records.get("mtime");
          const [, sign, whole = "", fraction = ""] = /^(-?)(\d+)\.?(\d*)$/.exec(text ?? "") ?? [];
          const value = BigInt(whole + fraction.padEnd(9, "0")) * (sign === "-" ? -1n : 1n);
          const expected = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
          if (text === undefined) {
            assert.equal(nanoseconds, 0);
            assert.equal(octal(plain, 136, 11), seconds);
          } else {
            assert.equal(value, expected);
          }
        },
      ),
    );
  });

  it("keep attributes as they are, and access lists as text", () => {
    const acl = Buffer.from("0200000001000600ffffffff02000500e803000004000400ffffffff", "hex");
    const { records } = parsed(
      tarHeader(
        entry("a", {
          extended_attributes: [
            { name: "user.odd=%3D\xff", value: Buffer.from([0, 255, 10, 61]) },
            { name: "system.posix_acl_access", value: acl },
            { name: "system.posix_acl_default", value: Buffer.from("no list") },
          ],
        }),
      ),
    );
    assert.equal(records.get("SCHILY.xattr.user.odd%3D%253D\xff"), "\0\xff\n=");
    assert.equal(records.get("SCHILY.acl.access"), "user::rw-\nuser:1000:r-x\ngroup::r--\n");
    assert.equal(records.get("SCHILY.xattr.system.posix_acl_default"), "no list");
  });

  it("take a device's number apart, and name what a link leads to", () => {
    // glibc's makedev(0x1567, 0x12389).
    const device = (0x1000n << 32n) | (0x12300n << 12n) | 0x5_6789n;
    const { plain, records } = parsed(tarHeader(entry("null", { type: "chardev", device })));
    assert.equal(plain.toString("latin1", 156, 157), "3");
    assert.equal(octal(plain, 329, 7), 0x1567);
    assert.equal(octal(plain, 337, 7), 0x12389);
    assert.equal(records.has("SCHILY.devmajor"), false);
    const hard = parsed(tarHeader(entry("second", {}, { linkTo: "first" }))).plain;
    assert.equal(hard.toString("latin1", 156, 163), "1first\0");
    const soft = parsed(tarHeader(entry("l", { type: "symlink", linktarget: "\xff".repeat(120) })));
    assert.equal(soft.records.get("linkpath"), "\xff".repeat(120));
  });

  it("are followed by content that fills whole blocks", () => {
    for (const [size, padding] of [
      [0, 0],
      [1, 511],
      [512, 0],
      [513, 511],
    ] as const) {
      assert.equal(tarPadding(size).length, padding);
    }
  });
});

const NO_TIME = "0001-01-01T00:00:00Z";
