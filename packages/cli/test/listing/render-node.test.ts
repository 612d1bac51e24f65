import assert from "node:assert/strict";
import { test } from "node:test";
import type { WalkedNode } from "@comeback/engine";
import { goModeText } from "../../src/listing/mode-text.ts";
import { longLine, nodeMessage } from "../../src/listing/render-node.ts";
import { sortNodes } from "../../src/listing/sort-nodes.ts";

function entry(path: string, more: Partial<WalkedNode["node"]> = {}): WalkedNode {
  const time = "2026-11-21T00:48:54.483896512Z";
  return {
    path,
    parentTreeId: "0".repeat(64),
    node: {
      name: path.slice(path.lastIndexOf("/") + 1),
      type: "file",
      mode: 0o644,
      mtime: time,
      atime: time,
      ctime: time,
      uid: 0,
      gid: 1000,
      user: "root",
      group: "",
      inode: 7,
      device_id: 1,
      size: 1234,
      links: 1,
      ...more,
    },
  };
}

test("modes are written as Go writes them", () => {
  // Taken from restic's own listings.
  const cases = [
    [0o644, "-rw-r--r--"],
    [2147484141, "drwxr-xr-x"],
    [134218239, "Lrwxrwxrwx"],
    [33554852, "prw-r--r--"],
    [(1 << 23) + 0o755, "urwxr-xr-x"],
    [2 ** 31 + (1 << 20) + 0o777, "dtrwxrwxrwx"],
    [(1 << 26) + (1 << 21) + 0o666, "Dcrw-rw-rw-"],
    [0, "----------"],
  ] as const;
  for (const [mode, text] of cases) assert.equal(goModeText(mode), text);
});

test("a node's message keeps numbers that a double cannot hold", () => {
  const message = nodeMessage(entry("/f", { inode: 18446744073709551615n }));
  assert.match(message, /"inode":18446744073709551615,/);
});

test("only files have a size, in JSON and in the long listing", () => {
  assert.ok(!nodeMessage(entry("/d", { type: "dir", size: 4096 })).includes('"size"'));
  assert.ok(nodeMessage(entry("/f", { size: 0 })).includes('"size":0'));
  assert.match(longLine(entry("/d", { type: "dir", size: 4096 }), false), / 1000 {6}0 /);
});

test("the long listing shows sizes for people on request, and where links lead", () => {
  assert.match(longLine(entry("/f"), true), / 1\.21 KiB /);
  const link = entry("/l", { type: "symlink", linktarget: "over\xff" });
  assert.ok(longLine(link, false).endsWith(" /l -> over\xff"));
});

test("entries are sorted by what is asked for, equal ones stay in order", () => {
  const nodes = [
    entry("/b.txt", { size: 3 }),
    entry("/a.zip", { size: 1 }),
    entry("/c", { size: 3, mtime: "2020-01-01T00:00:00Z" }),
  ];
  const names = (...args: Parameters<typeof sortNodes> extends [unknown, ...infer R] ? R : never) =>
    sortNodes([...nodes], ...args).map(({ path }) => path);
  assert.deepEqual(names("name", false), ["/a.zip", "/b.txt", "/c"]);
  assert.deepEqual(names("size", false), ["/a.zip", "/b.txt", "/c"]);
  assert.deepEqual(names("size", true), ["/c", "/b.txt", "/a.zip"]);
  assert.deepEqual(names("time", false), ["/c", "/b.txt", "/a.zip"]);
  assert.deepEqual(names("extension", false), ["/c", "/b.txt", "/a.zip"]);
});
