import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  linkSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, test } from "node:test";
import { byteStringFromText } from "@comeback/core";
import type { Instant } from "@comeback/core";
import { AT_FDCWD, removeXattr, setXattr, utimensAt } from "@comeback/platform";
import {
  ACCESS_ACL,
  buildTree,
  compareTrees,
  describeDifferences,
  type DifferenceKind,
  directory,
  encodeAcl,
  file,
  treeOf,
  type TreeSpec,
} from "../../src/index.ts";
import { scratchFolder } from "./scratch.ts";

const MiB = 1024 * 1024;
const asRoot = process.getuid?.() === 0;

const SPEC: TreeSpec = treeOf({
  text: file("some text"),
  big: file(new Uint8Array(3 * MiB).fill(7)),
  sparse: file([new Uint8Array(10).fill(1), { holeBytes: 4 * MiB }, new Uint8Array(10)]),
  link: { type: "symlink", target: "text" },
  fifo: { type: "fifo" },
  one: file("linked"),
  two: { type: "hardlink", to: "one" },
  folder: directory({
    inner: file("inner", { xattrs: { "user.a": "1" }, acl: "u::rw-,g::r--,u:7:r--,m::r--,o::r--" }),
    three: { type: "hardlink", to: "one" },
  }),
  ...(asRoot ? { device: { type: "chardev", major: 1, minor: 3 } as const } : {}),
});

/** Changes the times of the last change alone, which is what most other changes do as well. */
function setTimes(path: string, mtime: Instant | undefined, atime?: Instant): void {
  utimensAt(AT_FDCWD, byteStringFromText(path), atime, mtime);
}

function changeByte(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 1;
  writeFileSync(path, bytes);
}

function replace(path: string, make: () => void): void {
  rmSync(path, { recursive: true });
  make();
}

interface Change {
  readonly what: string;
  readonly kind: DifferenceKind;
  readonly path: string;
  readonly needsRoot?: boolean;
  change(top: string): void;
}

const CHANGES: readonly Change[] = [
  { what: "a file is gone", kind: "missing", path: "text", change: (t) => unlinkSync(`${t}/text`) },
  {
    what: "a folder is gone",
    kind: "missing",
    path: "folder",
    change: (t) => rmSync(`${t}/folder`, { recursive: true }),
  },
  {
    what: "a file too many",
    kind: "extra",
    path: "folder/new",
    change: (t) => writeFileSync(`${t}/folder/new`, ""),
  },
  {
    what: "a file became a folder's worth of nothing",
    kind: "type",
    path: "text",
    change: (t) => replace(`${t}/text`, () => symlinkSync("x", `${t}/text`)),
  },
  { what: "mode", kind: "mode", path: "text", change: (t) => chmodSync(`${t}/text`, 0o640) },
  { what: "setuid", kind: "mode", path: "text", change: (t) => chmodSync(`${t}/text`, 0o4644) },
  { what: "sticky", kind: "mode", path: "folder", change: (t) => chmodSync(`${t}/folder`, 0o1755) },
  {
    what: "owner",
    kind: "uid",
    path: "text",
    needsRoot: true,
    change: (t) => chownSync(`${t}/text`, 12_345, statSync(`${t}/text`).gid),
  },
  {
    what: "group",
    kind: "gid",
    path: "folder",
    needsRoot: true,
    change: (t) => chownSync(`${t}/folder`, statSync(`${t}/folder`).uid, 12_345),
  },
  {
    what: "one nanosecond",
    kind: "mtime",
    path: "text",
    change: (t) => setTimes(`${t}/text`, { seconds: 1_704_164_645, nanoseconds: 123_456_790 }),
  },
  {
    what: "a symlink's time",
    kind: "mtime",
    path: "link",
    change: (t) => setTimes(`${t}/link`, { seconds: 0, nanoseconds: 0 }),
  },
  {
    what: "a folder's time",
    kind: "mtime",
    path: "folder",
    change: (t) => setTimes(`${t}/folder`, { seconds: 1, nanoseconds: 0 }),
  },
  { what: "size", kind: "size", path: "text", change: (t) => truncateSync(`${t}/text`, 4) },
  {
    what: "a byte of a small file",
    kind: "content",
    path: "text",
    change: (t) => changeByte(`${t}/text`, 8),
  },
  {
    what: "a byte of a large file",
    kind: "content",
    path: "big",
    change: (t) => changeByte(`${t}/big`, 2 * MiB + 5),
  },
  {
    what: "a byte in a hole",
    kind: "content",
    path: "sparse",
    change: (t) => changeByte(`${t}/sparse`, MiB),
  },
  {
    what: "a symlink's target",
    kind: "target",
    path: "link",
    change: (t) => replace(`${t}/link`, () => symlinkSync("texT", `${t}/link`)),
  },
  {
    what: "a device's number",
    kind: "device",
    path: "device",
    needsRoot: true,
    change: (t) =>
      replace(`${t}/device`, () => execFileSync("mknod", [`${t}/device`, "c", "1", "5"])),
  },
  {
    what: "an attribute's value",
    kind: "xattr",
    path: "folder/inner",
    change: (t) => setXattr(`${t}/folder/inner`, "user.a", Buffer.from("2")),
  },
  {
    what: "an attribute that is gone",
    kind: "xattr",
    path: "folder/inner",
    change: (t) => removeXattr(`${t}/folder/inner`, "user.a"),
  },
  {
    what: "an attribute too many",
    kind: "xattr",
    path: "folder",
    change: (t) => setXattr(`${t}/folder`, "user.b", Buffer.alloc(0)),
  },
  {
    what: "an access list",
    kind: "xattr",
    path: "folder/inner",
    change: (t) => {
      const acl = encodeAcl("u::rw-,g::r--,u:8:r--,m::r--,o::r--");
      setXattr(`${t}/folder/inner`, ACCESS_ACL, acl);
    },
  },
  {
    what: "a hard link that is a file of its own",
    kind: "hard-links",
    path: "two",
    change: (t) => replace(`${t}/two`, () => writeFileSync(`${t}/two`, "linked")),
  },
  {
    what: "two files that became one",
    kind: "hard-links",
    path: "text",
    change: (t) => {
      unlinkSync(`${t}/text`);
      linkSync(`${t}/folder/inner`, `${t}/text`);
    },
  },
  {
    what: "a hole that was filled",
    kind: "blocks",
    path: "sparse",
    change: (t) => {
      writeFileSync(`${t}/full`, readFileSync(`${t}/sparse`));
      renameSync(`${t}/full`, `${t}/sparse`);
    },
  },
];

describe("a tree and its equal", () => {
  test("no difference", () => {
    using folder = scratchFolder();
    const [a, b] = [folder.below("a"), folder.below("b")];
    buildTree(a, SPEC);
    buildTree(b, SPEC);
    assert.deepEqual(compareTrees(a, b, { tops: false, sparse: true }), []);
    assert.deepEqual(compareTrees(a, a, { atime: false }), []);
  });

  for (const staged of CHANGES) {
    const { what, kind, path, needsRoot } = staged;
    // Without root there are no foreign owners and devices to make.
    if (needsRoot === true && !asRoot) continue;
    test(`${what}: ${kind}`, () => {
      using folder = scratchFolder();
      const [a, b] = [folder.below("a"), folder.below("b")];
      buildTree(a, SPEC);
      buildTree(b, SPEC);
      staged.change(b);
      const options = { tops: false, sparse: true };
      const found = compareTrees(a, b, options);
      const text = describeDifferences(found);
      assert.ok(
        found.some((difference) => difference.kind === kind && difference.path === path),
        text,
      );
      assert.ok(text.includes(`${JSON.stringify(path)}: ${kind}: `));
      const there = compareTrees(b, a, options).map((difference) => difference.kind);
      const opposite = { missing: "extra", extra: "missing" } as Record<string, DifferenceKind>;
      if (kind !== "blocks") assert.ok(there.includes(opposite[kind] ?? kind));
      const ignoring = compareTrees(a, b, { ...options, ignore: [kind] });
      assert.ok(ignoring.every((difference) => difference.kind !== kind));
    });
  }
});

test("a lone change is the only difference", () => {
  using folder = scratchFolder();
  const [a, b] = [folder.below("a"), folder.below("b")];
  buildTree(a, SPEC);
  buildTree(b, SPEC);
  chmodSync(join(b, "text"), 0o600);
  setXattr(join(b, "big"), "user.note", Buffer.from("x"));
  assert.deepEqual(compareTrees(a, b, { tops: false }), [
    { path: "big", kind: "xattr", first: "user.note=not there", second: "user.note=0x78" },
    { path: "text", kind: "mode", first: "0644", second: "0600" },
  ]);
  const ignoreXattr = (name: string): boolean => name === "user.note";
  assert.equal(compareTrees(a, b, { tops: false, ignoreXattr }).length, 1);
});

test("where contents differ is said", () => {
  using folder = scratchFolder();
  const [a, b] = [folder.below("a"), folder.below("b")];
  const bytes = new Uint8Array(2 * MiB + 100);
  buildTree(a, treeOf({ x: file(bytes), y: file("abc") }));
  bytes[MiB + 3] = 0xee;
  buildTree(b, treeOf({ x: file(bytes), y: file("abcd") }));
  assert.deepEqual(compareTrees(a, b, { tops: false }), [
    { path: "x", kind: "content", first: "0x00 at byte 1048579", second: "0xee at byte 1048579" },
    { path: "y", kind: "size", first: "3", second: "4" },
    { path: "y", kind: "content", first: "the end at byte 3", second: "0x64 at byte 3" },
  ]);
});

test("tops and times of last access count when they are asked for", () => {
  using folder = scratchFolder();
  const [a, b] = [folder.below("a"), folder.below("b")];
  for (const top of [a, b]) {
    buildTree(top, treeOf({ x: { type: "fifo" } }));
    setTimes(top, { seconds: 5, nanoseconds: 6 });
  }
  assert.deepEqual(compareTrees(a, b), []);
  chmodSync(b, 0o700);
  setTimes(join(b, "x"), undefined, { seconds: 7, nanoseconds: 8 });
  const kinds = compareTrees(a, b, { atime: true, ignore: [] }).map(
    ({ path, kind }) => `${path} ${kind}`,
  );
  assert.ok(kinds.includes(" mode"));
  assert.ok(kinds.includes("x atime"));
  assert.deepEqual(compareTrees(a, b, { tops: false }), []);
});
