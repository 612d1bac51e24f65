import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { IndexedPack } from "../../src/index/index-file.ts";
import { RepositoryIndex } from "../../src/index/repository-index.ts";

const id = (digit: string): string => digit.repeat(64);

function pack(digit: string, ...blobs: readonly string[]): IndexedPack {
  return {
    id: id(digit),
    blobs: blobs.map((blob, i) => ({
      type: "data",
      id: id(blob),
      offset: i * 100,
      length: 100,
      uncompressedLength: 0,
    })),
  };
}

describe("the index of a repository", () => {
  it("knows every place of a blob", () => {
    const index = RepositoryIndex.forFiles(500);
    index.addPack(pack("1", "a", "b"));
    index.addPack(pack("2", "b"));
    assert.deepEqual(index.packIds, [id("1"), id("2")]);
    assert.ok(index.has("data", id("a")) && !index.has("tree", id("a")));
    assert.deepEqual(index.find("data", id("b")), [
      { packId: id("2"), offset: 0, length: 100, uncompressedLength: 0 },
      { packId: id("1"), offset: 100, length: 100, uncompressedLength: 0 },
    ]);
    assert.deepEqual(index.find("data", id("c")), []);
  });

  it("takes from a pack that is listed twice what the first listing did not have", () => {
    const index = RepositoryIndex.forFiles(500);
    index.addPack(pack("1", "a"));
    index.addPack(pack("1", "a", "b"));
    index.addPack(pack("1", "a", "b"));
    assert.equal(index.table.count, 2);
    assert.equal(index.find("data", id("b")).length, 1);
  });

  it("passes over packs that wait to be deleted, unless they are asked for", () => {
    const marked = { ...pack("2", "b"), mark: { timeMs: 5 } };
    const forWriting = RepositoryIndex.forFiles(0);
    forWriting.addPack(marked);
    assert.deepEqual([forWriting.packIds, forWriting.table.count], [[], 0]);
    const forReading = RepositoryIndex.forFiles(0, { includeMarked: true });
    forReading.addPack(pack("1", "a"));
    forReading.addPack(marked);
    assert.deepEqual([...forReading.marks], [[1, { timeMs: 5 }]]);
    assert.equal(forReading.find("data", id("b")).length, 1);
  });

  it("takes a pack as in use that any file lists so, and the later of two marks", () => {
    const once = { ...pack("1", "a"), mark: { timeMs: 5 } };
    const later = { ...pack("1", "a"), mark: { timeMs: 7 } };
    for (const [packs, marks] of [
      [[once, later], [[0, { timeMs: 7 }]]],
      [[later, once], [[0, { timeMs: 7 }]]],
      [[once, { ...once, mark: {} }], [[0, {}]]],
      [[once, pack("1", "a")], []],
      [[pack("1", "a"), once], []],
    ] as const) {
      const index = RepositoryIndex.forFiles(0, { includeMarked: true });
      for (const listed of packs) index.addPack(listed);
      assert.deepEqual([...index.marks], marks);
      assert.equal(index.table.count, 1);
    }
  });

  it("does not offer blobs that are claimed but not stored yet", () => {
    const index = RepositoryIndex.forFiles(0);
    index.table.claim("data", new Uint32Array(8).fill(0xaaaa_aaaa));
    assert.ok(index.has("data", id("a")));
    assert.deepEqual(index.find("data", id("a")), []);
  });
});
