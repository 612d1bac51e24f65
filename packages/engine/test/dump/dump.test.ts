import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DUMP_WINDOW_MAX_PARTS, isComebackError } from "@comeback/core";
import { SeededRandom } from "@comeback/testkit";
import { dumpFile, dumpFolder, type DumpFolderOptions } from "../../src/dump/dump.ts";
import { endRecords } from "../../src/dump/zip-records.ts";
import type { Repository } from "../../src/repository/repository.ts";
import type { TreeNode } from "../../src/tree/types.ts";
import {
  dataBlob,
  fileNode,
  flipBit,
  folderNode,
  type LooseBlob,
  node,
  RepositoryBuilder,
  treeBlob,
} from "../repository-builder.ts";

interface Sample extends AsyncDisposable {
  readonly builder: RepositoryBuilder;
  readonly repository: Repository;
  readonly treeId: string;
}

/** A repository whose one tree has these nodes; the blobs are spread over packs. */
async function sample(
  nodes: readonly TreeNode[],
  blobs: readonly LooseBlob[],
  ...trees: readonly LooseBlob[]
): Promise<Sample> {
  const builder = await RepositoryBuilder.create();
  const root = treeBlob(nodes);
  const packs = [await builder.pack(root, ...trees)];
  for (let i = 0; i < blobs.length; i += 7)
    packs.push(await builder.pack(...blobs.slice(i, i + 7)));
  await builder.index(...packs);
  await builder.repository.loadIndex();
  const { repository } = builder;
  const dispose = (): Promise<void> => builder[Symbol.asyncDispose]();
  return { builder, repository, treeId: root.id, [Symbol.asyncDispose]: dispose };
}

async function dumped(
  { repository, treeId }: Sample,
  format: "tar" | "zip" = "tar",
  more: Partial<DumpFolderOptions> = {},
): Promise<Buffer> {
  const chunks = dumpFolder({ repository, treeId, format, ...more });
  return Buffer.concat(await Array.fromAsync(chunks));
}

/** Name, type and content of each entry of a tar file without long names. */
function entriesOf(tar: Buffer): { name: string; type: string; content: Buffer }[] {
  const entries = [];
  for (let at = 0; tar[at] !== 0;) {
    const size = Number.parseInt(tar.toString("latin1", at + 124, at + 135), 8);
    const type = tar.toString("latin1", at + 156, at + 157);
    const name = tar.toString("latin1", at, at + 100).replace(/\0.*$/s, "");
    const content = tar.subarray(at + 512, at + 512 + size);
    if (type !== "x") entries.push({ name, type, content });
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return entries;
}

function contentOf(blobs: readonly LooseBlob[]): Buffer {
  return Buffer.concat(blobs.map(({ plaintext }) => plaintext));
}

describe("dumping a folder", () => {
  it("gives every file its own blobs in their order, over many windows and threads", async () => {
    const random = new SeededRandom(5);
    const blobs = Array.from({ length: 40 }, () =>
      dataBlob(random.bytes(random.integer(1, 700_000))),
    );
    const lists = Array.from({ length: 30 }, () =>
      Array.from({ length: random.integer(0, 6) }, () => blobs[random.integer(0, 39)]!),
    );
    const nodes = lists.map((list, i) => fileNode(`f${String(i).padStart(2, "0")}`, ...list));
    await using all = await sample(nodes, blobs);
    const entries = entriesOf(await dumped(all));
    assert.equal(entries.length, lists.length);
    for (const [i, { name, content }] of entries.entries()) {
      assert.equal(name, nodes[i]?.name);
      assert.ok(content.equals(contentOf(lists[i]!)), name);
    }
  });

  it("bounds windows by parts, too: one small blob many times", async () => {
    const blob = dataBlob("0123456789");
    const count = DUMP_WINDOW_MAX_PARTS * 2 + 10;
    const file = fileNode("many", ...Array.from({ length: count }, () => blob));
    await using all = await sample([file], [blob]);
    const [entry] = entriesOf(await dumped(all));
    assert.equal(entry?.content.toString(), "0123456789".repeat(count));
  });

  it("links further names of a file, but not what only has its number", async () => {
    const [a, b] = [dataBlob("a"), dataBlob("b")];
    const linked = { links: 2, inode: 77 };
    const nodes = [
      { ...fileNode("1", a), ...linked },
      { ...fileNode("2", a), ...linked },
      { ...fileNode("3", b), ...linked },
      { ...fileNode("4", b), ...linked },
    ];
    await using all = await sample(nodes, [a, b]);
    const types = entriesOf(await dumped(all)).map(({ name, type }) => `${name} ${type}`);
    assert.deepEqual(types, ["1 0", "2 1", "3 0", "4 1"]);
  });

  it("puts the folder's path before all names, and leaves out what a format cannot hold", async () => {
    const inner = treeBlob([node("fifo", { type: "fifo" }), fileNode("f")]);
    const nodes = [folderNode("d", inner), node("socket", { type: "socket" })];
    await using all = await sample(nodes, [], inner);
    const skipped: string[] = [];
    const more = { prefix: "/x/y/", onSkipped: (path: string) => skipped.push(path) };
    const names = entriesOf(await dumped(all, "tar", more)).map(({ name }) => name);
    assert.deepEqual(names, ["x/y/d/", "x/y/d/f", "x/y/d/fifo"]);
    assert.deepEqual(skipped, ["/socket"]);
    await dumped(all, "zip", more);
    assert.deepEqual(skipped, ["/socket", "/d/fifo", "/socket"]);
  });

  it("takes another copy of a blob that does not hold, and else names the file", async () => {
    const blob = dataBlob("twice stored");
    await using builder = await RepositoryBuilder.create();
    const root = treeBlob([fileNode("good", blob)]);
    const packs = [await builder.pack(blob), await builder.pack(dataBlob("first"), blob)];
    await builder.index(...packs, await builder.pack(root));
    await builder.repository.loadIndex();
    const { repository } = builder;
    const all = { builder, repository, treeId: root.id, async [Symbol.asyncDispose]() {} };
    builder.damage("pack", packs[0]!.id, flipBit(20));
    assert.equal(entriesOf(await dumped(all))[0]?.content.toString(), "twice stored");
    builder.damage("pack", packs[1]!.id, flipBit(packs[1]!.blobs[1]!.offset + 20));
    await assert.rejects(dumped(all), (error) => {
      assert.ok(isComebackError(error, "repository.damaged"));
      assert.equal(error.message, "the content of good is damaged");
      return true;
    });
  });

  it("fails where the index does not list a blob, or an entry has no list", async () => {
    for (const nodes of [[fileNode("f", dataBlob("unknown"))], [node("f", { content: null })]]) {
      await using all = await sample(nodes, []);
      await assert.rejects(dumped(all), /file \/f is damaged/);
    }
  });

  it("ends when its signal aborts, and when nobody wants more", async () => {
    const blobs = Array.from({ length: 60 }, (_, i) => dataBlob(Buffer.alloc(500_000, i)));
    await using all = await sample([fileNode("f", ...blobs)], blobs);
    const stop = new AbortController();
    const { repository, treeId } = all;
    const { signal } = stop;
    const aborted = dumpFolder({ repository, treeId, format: "tar", signal });
    await aborted.next();
    stop.abort(new Error("enough"));
    await assert.rejects(Array.fromAsync(aborted), /enough/);
    const left = dumpFolder({ repository, treeId, format: "zip" });
    assert.equal((await left.next()).done, false);
    await left.return(undefined);
    assert.equal((await left.next()).done, true);
  });
});

describe("dumping a file", () => {
  it("gives its content", async () => {
    const blobs = Array.from({ length: 50 }, (_, i) => dataBlob(Buffer.alloc(400_000, i)));
    await using all = await sample([fileNode("f", ...blobs)], blobs);
    const chunks = await Array.fromAsync(
      dumpFile(all.repository, "/f", fileNode("f", ...blobs), {}),
    );
    assert.ok(Buffer.concat(chunks).equals(contentOf(blobs)));
  });

  it("refuses what is none", async () => {
    await using all = await sample([], []);
    const link = node("l", { type: "symlink", linktarget: "x" });
    await assert.rejects(
      Array.fromAsync(dumpFile(all.repository, "/l", link)),
      /\/l is not a file/,
    );
  });
});

describe("the end of a zip file", () => {
  it("has 64-bit records from 65,535 entries or 4 GiB on", () => {
    const small = { entries: 65_534, offset: 0xffff_fffe, sizeBytes: 100 };
    assert.equal(endRecords(small).length, 22);
    for (const large of [
      { ...small, entries: 65_535 },
      { ...small, offset: 0xffff_ffff },
      { ...small, offset: 5 * 2 ** 32 },
    ]) {
      const records = endRecords(large);
      assert.equal(records.length, 56 + 20 + 22);
      assert.equal(records.readBigUInt64LE(24), BigInt(large.entries));
      assert.equal(records.readBigUInt64LE(48), BigInt(large.offset));
      assert.equal(records.readBigUInt64LE(64), BigInt(large.offset + large.sizeBytes));
    }
  });
});
