import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DATA_BLOB_MAX_BYTES, isComebackError, TREE_BLOB_MAX_BYTES } from "@comeback/core";
import fc from "fast-check";
import { decodeIndexFile, encodeIndexFile, type IndexedPack } from "../../src/index/index-file.ts";

const id = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString("hex"));

const packs: fc.Arbitrary<IndexedPack[]> = fc.array(
  fc.record({
    id,
    blobs: fc.array(
      fc.record({
        type: fc.constantFrom("data" as const, "tree" as const),
        id,
        offset: fc.nat(0x7fff_ffff),
        length: fc.nat(DATA_BLOB_MAX_BYTES),
        uncompressedLength: fc.oneof(fc.constant(0), fc.nat(DATA_BLOB_MAX_BYTES)),
      }),
      { maxLength: 6 },
    ),
  }),
  { maxLength: 5 },
);

/** What matters of the result; keys of the file that we do not use may stay in it. */
function essence(list: readonly IndexedPack[]): IndexedPack[] {
  return list.map((pack) => ({
    id: pack.id,
    blobs: pack.blobs.map((blob) => ({
      type: blob.type,
      id: blob.id,
      offset: blob.offset,
      length: blob.length,
      uncompressedLength: blob.uncompressedLength,
    })),
  }));
}

const decode = (json: string): IndexedPack[] => decodeIndexFile(Buffer.from(json), "index 1234");
const isDamage = (error: unknown): boolean =>
  isComebackError(error, "repository.damaged") && error.message.includes("index 1234");

const ID = "0123456789abcdef".repeat(4);
const BLOB = `{"id":"${ID}","type":"data","offset":0,"length":40}`;

describe("index files", () => {
  it("come back as they were", () => {
    fc.assert(
      fc.property(packs, (list) => {
        const decoded = decodeIndexFile(encodeIndexFile(list), "it");
        assert.deepEqual(essence(decoded), essence(list));
      }),
    );
  });

  it("look as restic writes them", () => {
    const blobs = [
      { type: "data", id: ID, offset: 0, length: 40, uncompressedLength: 0 },
      { type: "tree", id: ID, offset: 40, length: 50, uncompressedLength: 70 },
    ] as const;
    assert.equal(
      encodeIndexFile([{ id: ID, blobs }]).toString(),
      `{"packs":[{"id":"${ID}","blobs":[{"id":"${ID}","type":"data","offset":0,"length":40},` +
        `{"id":"${ID}","type":"tree","offset":40,"length":50,"uncompressed_length":70}]}]}\n`,
    );
    assert.equal(encodeIndexFile([]).toString(), '{"packs":[]}\n');
  });

  it("may have keys of other writers, older and newer", () => {
    const pack = `{"id":"${ID}","blobs":[${BLOB}],"time":"2026-01-01T00:00:00Z","size":99}`;
    for (const json of [
      `{"supersedes":["${ID}"],"packs":[${pack}]}`,
      `{"packs":[${pack}],"packs_to_delete":null,"more":[${pack}]}`,
      `[${pack}]`,
    ]) {
      assert.deepEqual(essence(decode(json)), [
        {
          id: ID,
          blobs: [{ type: "data", id: ID, offset: 0, length: 40, uncompressedLength: 0 }],
        },
      ]);
    }
    assert.deepEqual(decode("{}"), []);
    assert.deepEqual(decode('{"packs":null}'), []);
  });

  it("list packs that wait to be deleted as rustic does", () => {
    const blobs = [{ type: "data", id: ID, offset: 0, length: 40, uncompressedLength: 0 }] as const;
    const timeMs = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
    const json = encodeIndexFile([
      { id: ID, blobs, mark: { timeMs, sizeBytes: 117 } },
      { id: ID, blobs: [] },
    ]).toString();
    const mark = `,"time":"2026-01-02T03:04:05.678Z","size":117`;
    assert.equal(
      json,
      `{"packs":[{"id":"${ID}","blobs":[]}],` +
        `"packs_to_delete":[{"id":"${ID}","blobs":[${BLOB}]${mark}}]}\n`,
    );
    assert.deepEqual(
      decode(json).map((pack) => pack.mark),
      [undefined, { timeMs, sizeBytes: 117 }],
    );
    const bare = `{"packs_to_delete":[{"id":"${ID}","blobs":[]}]}`;
    assert.deepEqual(decode(bare)[0]?.mark, {});
    assert.throws(() => decode('{"packs_to_delete":{}}'), isDamage);
    assert.throws(() => decode('{"packs_to_delete":[{"id":"1","blobs":[]}]}'), isDamage);
  });

  it("are refused where anything is out of the ordinary", () => {
    const withBlob = (blob: string): string => `{"packs":[{"id":"${ID}","blobs":[${blob}]}]}`;
    for (const json of [
      "",
      "null",
      "{",
      "7",
      '"text"',
      '{"packs":7}',
      '{"packs":[null]}',
      '{"packs":[{"blobs":[]}]}',
      `{"packs":[{"id":"${ID.toUpperCase()}","blobs":[]}]}`,
      `{"packs":[{"id":"../../etc/passwd","blobs":[]}]}`,
      `{"packs":[{"id":"${ID}"}]}`,
      withBlob("null"),
      withBlob(BLOB.replace(ID, ID.slice(1))),
      withBlob(BLOB.replace("data", "file")),
      withBlob(BLOB.replace("40", "-1")),
      withBlob(BLOB.replace("40", "1.5")),
      withBlob(BLOB.replace("40", '"40"')),
      withBlob(BLOB.replace("40", "1e999")),
      withBlob(BLOB.replace("40", String(DATA_BLOB_MAX_BYTES + 1))),
      withBlob(BLOB.replace("data", "tree").replace("40", String(TREE_BLOB_MAX_BYTES + 1))),
      withBlob(BLOB.replace("}", ',"uncompressed_length":-5}')),
      withBlob(BLOB.replace("}", ',"uncompressed_length":null}')),
    ]) {
      assert.throws(() => decode(json), isDamage, json);
    }
    // A folder of a million files is one large tree.
    const large = BLOB.replace("data", "tree").replace("40", String(DATA_BLOB_MAX_BYTES * 4));
    assert.equal(decode(withBlob(large))[0]?.blobs[0]?.length, DATA_BLOB_MAX_BYTES * 4);
  });

  it("fail plainly after any change of their bytes", () => {
    fc.assert(
      fc.property(
        packs,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (list, changes) => {
          const json = encodeIndexFile(list);
          for (const [place, byte] of changes) json[place % json.length] = byte;
          try {
            decodeIndexFile(json, "index 1234");
          } catch (error) {
            assert.ok(isDamage(error), String(error));
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
