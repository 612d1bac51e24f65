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

  it("does not offer blobs that are claimed but not stored yet", () => {
    const index = RepositoryIndex.forFiles(0);
    index.table.claim("data", new Uint32Array(8).fill(0xaaaa_aaaa));
    assert.ok(index.has("data", id("a")));
    assert.deepEqual(index.find("data", id("a")), []);
  });
});
