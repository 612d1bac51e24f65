import assert from "node:assert/strict";
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { byteStringFromBytes } from "@comeback/core";
import {
  buildTree,
  compareTrees,
  describeDifferences,
  encodeAcl,
  type EntrySpec,
  file,
  randomTree,
  randomTreeSpec,
  treeOf,
  type TreeSpec,
} from "../../src/index.ts";
import { scratchFolder } from "./scratch.ts";

const asRoot = process.getuid?.() === 0;

test("the same seed builds the same tree", () => {
  for (let seed = 0; seed < 8; seed++) {
    using folder = scratchFolder();
    const [a, b] = [folder.below("a"), folder.below("b")];
    randomTree(a, seed);
    randomTree(b, seed);
    const differences = compareTrees(a, b, { tops: false, sparse: true });
    assert.equal(describeDifferences(differences), "", `seed ${seed}`);
  }
});

function count(tree: TreeSpec, counts = new Map<string, number>()): Map<string, number> {
  const add = (what: string): void => {
    counts.set(what, (counts.get(what) ?? 0) + 1);
  };
  for (const [name, spec] of tree) {
    add(spec.type);
    if (Buffer.from(name, "latin1").toString("utf8").includes("\ufffd")) add("not UTF-8");
    if ("xattrs" in spec && Object.keys(spec.xattrs ?? {}).length > 0) add("xattrs");
    if ("acl" in spec) add("acl");
    if ("uid" in spec) add("owner");
    if ("mode" in spec && ((spec.mode ?? 0) & 0o7000) !== 0) add("setuid and so on");
    if (spec.type === "file" && Array.isArray(spec.content)) add("sparse");
    if (spec.type === "dir") count(spec.entries ?? new Map(), counts);
  }
  return counts;
}

test("random trees have everything that a tree can have", () => {
  const counts = new Map<string, number>();
  for (let seed = 0; seed < 10; seed++) {
    count(randomTreeSpec(seed, { asRoot: true, sockets: true }), counts);
  }
  const kinds = ["file", "dir", "symlink", "hardlink", "fifo", "socket", "dev", "chardev"];
  const traits = ["not UTF-8", "xattrs", "acl", "owner", "setuid and so on", "sparse"];
  for (const what of [...kinds, ...traits]) assert.ok((counts.get(what) ?? 0) >= 3, what);
  const plain = count(randomTreeSpec(1, { asRoot: false, attributes: false }));
  for (const what of ["dev", "chardev", "owner", "xattrs", "acl", "socket"]) {
    assert.equal(plain.get(what), undefined, what);
  }
});

test("files around the bounds of chunks are there when they are asked for", () => {
  using folder = scratchFolder();
  randomTree(folder.path, 1, { entries: 0, largeFiles: true });
  const sizes = readdirSync(folder.below("large"))
    .filter((name) => name.startsWith("random-"))
    .map((name) => lstatSync(folder.below(`large/${name}`)).size);
  const [small, large] = [524_288, 8_388_608];
  assert.deepEqual(
    sizes.sort((a, b) => a - b),
    [small - 1, small, small + 1, large - 1, large, large + 1],
  );
});

/** Looked at with Node's own eyes, not with the code under test. */
test("what is built is what was asked for", () => {
  using folder = scratchFolder();
  const mtime = { seconds: -5, nanoseconds: 987_654_321 };
  const badName = "bad \xff";
  const entries: Record<string, EntrySpec> = {
    plain: file("text", { mode: 0o4751, mtime, atime: { seconds: 7, nanoseconds: 1 } }),
    sparse: file([{ holeBytes: 1_000_000 }, Buffer.from("end")]),
    link: { type: "symlink", target: "to\xff", mtime },
    fifo: { type: "fifo", mode: 0o622 },
    socket: { type: "socket" },
    second: { type: "hardlink", to: "plain" },
    folder: { type: "dir", mode: 0o1555, mtime, entries: treeOf({ [badName]: file("") }) },
    ...(asRoot ? { device: { type: "dev", major: 259, minor: 70_000, uid: 9, gid: 8 } } : {}),
  };
  buildTree(folder.path, treeOf(entries));
  const stat = (name: string) => lstatSync(join(folder.path, name), { bigint: true });
  const plain = stat("plain");
  assert.equal(plain.mode & 0o7777n, 0o4751n);
  assert.equal(plain.mtimeNs, -5n * 1_000_000_000n + 987_654_321n);
  assert.equal(plain.atimeNs, 7_000_000_001n);
  assert.equal(plain.ino, stat("second").ino);
  assert.equal(stat("sparse").size, 1_000_003n);
  assert.ok(stat("sparse").blocks < 100n);
  assert.ok(stat("link").isSymbolicLink());
  assert.equal(stat("link").mtimeNs, plain.mtimeNs);
  assert.ok(stat("fifo").isFIFO());
  assert.equal(stat("fifo").mode & 0o7777n, 0o622n);
  assert.ok(stat("socket").isSocket());
  assert.equal(stat("folder").mode & 0o7777n, 0o1555n);
  assert.equal(stat("folder").mtimeNs, plain.mtimeNs);
  const [name] = readdirSync(join(folder.path, "folder"), { encoding: "buffer" });
  assert.equal(byteStringFromBytes(name ?? Buffer.alloc(0)), badName);
  if (asRoot) {
    const device = stat("device");
    assert.ok(device.isBlockDevice());
    assert.deepEqual([device.uid, device.gid], [9n, 8n]);
    // The C library's makedev(259, 70000).
    assert.equal(device.rdev, (273n << 20n) | (259n << 8n) | 112n);
  }
});

test("access lists are what `setfacl` writes", () => {
  assert.equal(
    encodeAcl("o::r--,u::rwx,g:33:-w-,m::rwx,u:1000:r-x,g::r-x").toString("hex"),
    "02000000" +
      "01000700ffffffff" +
      "02000500e8030000" +
      "04000500ffffffff" +
      "0800020021000000" +
      "10000700ffffffff" +
      "20000400ffffffff",
  );
  assert.throws(() => encodeAcl("u::rwz"));
});
