import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isComebackError } from "@comeback/core";
import { readFile } from "../../src/listing/read-file.ts";
import { resolveFolder, resolvePath } from "../../src/listing/resolve-path.ts";
import { type WalkOptions, walkSnapshot } from "../../src/listing/walk-snapshot.ts";
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

interface Sample {
  readonly builder: RepositoryBuilder;
  readonly root: LooseBlob;
  readonly sub: LooseBlob;
  readonly treePack: { readonly id: string; readonly subOffset: number };
}

/** /a/b/c, /a/b/d (a link), /a/ü (as bytes), /a.txt, /z/ */
async function sample(): Promise<Sample> {
  const builder = await RepositoryBuilder.create();
  const content = dataBlob("content of c");
  const sub = treeBlob([
    fileNode("c", content),
    node("d", { type: "symlink", linktarget: "../../a.txt" }),
  ]);
  const a = treeBlob([folderNode("b", sub), fileNode("\xc3\xbc", content)]);
  const empty = treeBlob([]);
  const nodes = [folderNode("a", a), fileNode("a.txt"), folderNode("z", empty)];
  const root = treeBlob(nodes);
  const trees = await builder.pack(sub, a, empty, root);
  await builder.index(await builder.pack(content), trees);
  await builder.repository.loadIndex();
  const treePack = { id: trees.id, subOffset: trees.blobs[0]!.offset };
  return { builder, root, sub, treePack };
}

async function paths({ builder, root }: Sample, options?: WalkOptions): Promise<string[]> {
  const walked = await Array.fromAsync(walkSnapshot(builder.repository, root.id, options));
  return walked.map(({ path }) => path);
}

const EVERYTHING = ["/a", "/a/b", "/a/b/c", "/a/b/d", "/a/\xc3\xbc", "/a.txt", "/z"];

describe("walking a snapshot", () => {
  it("gives every entry, folders before what is in them", async () => {
    assert.deepEqual(await paths(await sample()), EVERYTHING);
  });

  it("gives what lies under chosen folders, and their own entries", async () => {
    const all = await sample();
    assert.deepEqual(await paths(all, { under: ["/a"] }), ["/a", "/a/b", "/a/\xc3\xbc"]);
    assert.deepEqual(await paths(all, { under: ["/a/b"] }), ["/a/b", "/a/b/c", "/a/b/d"]);
    assert.deepEqual(await paths(all, { under: ["/a"], recursive: true }), EVERYTHING.slice(0, 5));
    assert.deepEqual(await paths(all, { under: ["/"] }), ["/a", "/a.txt", "/z"]);
    assert.deepEqual(await paths(all, { under: ["/"], recursive: true }), EVERYTHING);
    assert.deepEqual(await paths(all, { under: ["/z", "/a/b/c"] }), ["/a/b/c", "/z"]);
    assert.deepEqual(await paths(all, { under: ["//a/./x/../b/"] }), ["/a/b", "/a/b/c", "/a/b/d"]);
    assert.deepEqual(await paths(all, { under: ["/nowhere"] }), []);
    assert.deepEqual(await paths(all, { under: ["/a.t"] }), []);
  });

  it("reads no folders that nobody asked for", async () => {
    const all = await sample();
    all.builder.damage("pack", all.treePack.id, flipBit(all.treePack.subOffset + 20));
    assert.deepEqual(await paths(all, { under: ["/a"] }), ["/a", "/a/b", "/a/\xc3\xbc"]);
    await assert.rejects(paths(all), (error) => {
      return isComebackError(error, "repository.damaged") && error.message.includes("/a/b");
    });
  });

  it("ends with the reason of an abort", async () => {
    const { builder, root } = await sample();
    const controller = new AbortController();
    const { signal } = controller;
    const walk = walkSnapshot(builder.repository, root.id, { signal });
    await walk.next();
    controller.abort(new Error("enough"));
    await assert.rejects(async () => {
      for await (const { path } of walk) assert.ok(EVERYTHING.includes(path));
    }, /enough/);
  });
});

describe("a path in a snapshot", () => {
  it("leads to its entry", async () => {
    const { builder, root, sub } = await sample();
    const { repository } = builder;
    const top = await resolvePath(repository, root.id, "/");
    assert.deepEqual(top, { node: undefined, treeId: root.id });
    const folder = await resolvePath(repository, root.id, "/a/b");
    assert.equal(folder.node?.name, "b");
    assert.equal(folder.treeId, sub.id);
    assert.equal(await resolveFolder(repository, root.id, "a//b/."), sub.id);
    assert.equal(await resolveFolder(repository, root.id, ""), root.id);
    const file = await resolvePath(repository, root.id, "/a/\xc3\xbc");
    assert.equal(file.node?.type, "file");
    assert.equal(file.treeId, undefined);
  });

  it("is named where it leads nowhere, and links are not followed", async () => {
    const { builder, root } = await sample();
    const { repository } = builder;
    const notFound = { code: "snapshot.path-not-found" };
    for (const path of ["/x", "/a/x", "/a.txt/x", "/a/b/d/x", "/A", "/a/b/c"]) {
      await assert.rejects(resolveFolder(repository, root.id, path), notFound, path);
    }
    await assert.rejects(resolveFolder(repository, root.id, "/a/\xc3\xbcber"), /\/a\/über is not/);
  });
});

describe("the content of a file", () => {
  const content = Array.from({ length: 23 }, (_, i) => dataBlob(`part ${i} `.repeat(i * 50)));

  it("comes blob by blob in order, also where blobs repeat", async () => {
    await using builder = await RepositoryBuilder.create();
    const { repository } = builder;
    await builder.index(
      await builder.pack(...content.slice(0, 9)),
      await builder.pack(...content.slice(9)),
    );
    await repository.loadIndex();
    const list = [...content, content[3]!, content[3]!];
    const parts = await Array.fromAsync(readFile(repository, fileNode("f", ...list)));
    assert.deepEqual(
      parts.map((part) => Buffer.from(part)),
      list.map(({ plaintext }) => plaintext),
    );
    assert.deepEqual(await Array.fromAsync(readFile(repository, fileNode("empty"))), []);
  });

  it("stops with an error at a blob that is damaged, and not before", async () => {
    await using builder = await RepositoryBuilder.create();
    const { repository } = builder;
    const pack = await builder.pack(...content);
    await builder.index(pack);
    await repository.loadIndex();
    builder.damage("pack", pack.id, flipBit(pack.blobs[2]!.offset + 20));
    const parts: Uint8Array[] = [];
    await assert.rejects(
      async () => {
        for await (const part of readFile(repository, fileNode("f", ...content))) parts.push(part);
      },
      (error) =>
        isComebackError(error, "repository.damaged") &&
        error.message.includes(content[2]!.id.slice(0, 8)),
    );
    assert.equal(parts.length, 2);
  });

  it("may be left early, and is of files only", async () => {
    await using builder = await RepositoryBuilder.create();
    const { repository } = builder;
    await builder.index(await builder.pack(...content));
    await repository.loadIndex();
    for await (const part of readFile(repository, fileNode("f", ...content))) {
      assert.equal(part.length, 0);
      break;
    }
    const folder = readFile(repository, node("d", { type: "dir", content: null }));
    await assert.rejects(folder.next(), { code: "option.invalid" });
    const odd = readFile(repository, node("f", { content: null }));
    await assert.rejects(odd.next(), { code: "repository.damaged" });
  });
});
