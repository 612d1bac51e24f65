import assert from "node:assert/strict";
import { test } from "node:test";
import type { WalkedNode } from "@comeback/engine";
import { goModeText } from "../../src/listing/mode-text.ts";
import { NcduWriter } from "../../src/listing/ncdu-writer.ts";
import { longLine, nodeMessage } from "../../src/listing/render-node.ts";
import { sortNodes } from "../../src/listing/sort-nodes.ts";
import { LineWriter } from "../../src/terminal/line-writer.ts";
import { Terminal } from "../../src/terminal/terminal.ts";
import { RecordingStream } from "../recording-stream.ts";

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

test("entries are sorted by what is asked for, equal ones by their path", () => {
  const nodes = [
    entry("/b.txt", { size: 3 }),
    entry("/a.zip", { size: 1 }),
    entry("/c", { size: 3, mtime: "2020-01-01T00:00:00Z" }),
  ];
  const names = (...args: Parameters<typeof sortNodes> extends [unknown, ...infer R] ? R : never) =>
    sortNodes([...nodes], ...args).map(({ path }) => path);
  // A walk gives them in the order of their names.
  assert.deepEqual(names("name", false), ["/b.txt", "/a.zip", "/c"]);
  assert.deepEqual(names("name", true), ["/c", "/a.zip", "/b.txt"]);
  assert.deepEqual(names("size", false), ["/a.zip", "/b.txt", "/c"]);
  assert.deepEqual(names("size", true), ["/c", "/b.txt", "/a.zip"]);
  assert.deepEqual(names("time", false), ["/c", "/a.zip", "/b.txt"]);
  assert.deepEqual(names("extension", false), ["/c", "/b.txt", "/a.zip"]);
});

test("times are compared to the nanosecond, whatever zone they were written in", () => {
  const nodes = [
    entry("/later", { mtime: "2026-01-01T01:00:00.000000002+01:00" }),
    entry("/sooner", { mtime: "2026-01-01T00:00:00.000000001Z" }),
  ];
  const sorted = sortNodes(nodes, "mtime", false).map(({ path }) => path);
  assert.deepEqual(sorted, ["/sooner", "/later"]);
});

test("ncdu's format: folders are lists in lists, names are text", () => {
  const stdout = new RecordingStream({ isTTY: false });
  const terminal = new Terminal({ stdout, stderr: stdout, env: {} });
  const ncdu = new NcduWriter(new LineWriter(terminal));
  const folder = { type: "dir", mode: 2 ** 31 + (1 << 20) + 0o755, size: 0 } as const;
  ncdu.start({ id: "1".repeat(64), time: "2026-01-01T00:00:00Z", tree: "2", paths: ["/<a>"] });
  for (const item of [
    entry("/d", folder),
    entry("/d/e", folder),
    entry("/d/e/f\xff", { size: 513 }),
    entry("/g", { type: "fifo", size: 0, mtime: "1960-01-01T00:00:00Z" }),
  ]) {
    ncdu.add(item);
  }
  ncdu.finish();
  assert.ok(stdout.text.includes("/\\u003ca\\u003e"));
  const [major, minor, head, [top, [d, [e, f]], g]] = JSON.parse(stdout.text) as [
    number,
    number,
    Record<string, unknown>,
    [Ncdu, [Ncdu, [Ncdu, Ncdu]], Ncdu],
  ];
  assert.deepEqual([major, minor, head["tree"], head["id"]], [1, 2, "2", undefined]);
  assert.deepEqual([top, d.name, e.name, f.name], [{ name: "/" }, "d", "e", "f\ufffd"]);
  assert.deepEqual([d["mode"], f["asize"], f["dsize"]], [0o1755, 513, 1024]);
  assert.deepEqual([f["notreg"], g["notreg"], g["mtime"]], [false, true, 0]);
});

interface Ncdu extends Record<string, unknown> {
  readonly name: string;
}
