import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Worker } from "node:worker_threads";
import { SeededRandom } from "@comeback/testkit";
import fc from "fast-check";
import {
  BlobTable,
  type BlobType,
  idWords,
  idWordsFromBytes,
  isId,
} from "../../src/index/blob-table.ts";

const bytes = (seed: number): Uint8Array => new SeededRandom(seed).bytes(32);
const words = (seed: number): Uint32Array => idWordsFromBytes(bytes(seed), new Uint32Array(8));

const place = (
  pack: number,
): { pack: number; offset: number; length: number; uncompressedLength: number } => {
  return { pack, offset: pack * 3, length: pack + 40, uncompressedLength: pack % 2 };
};

describe("the table of blobs", () => {
  it("finds what was added, by type and id, and all copies of it", () => {
    const additions = fc.array(
      fc.record({
        type: fc.constantFrom<BlobType>("data", "tree"),
        id: fc.nat(15),
        pack: fc.nat(1000),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(additions, (list) => {
        const table = BlobTable.create(list.length);
        const expected = new Map<string, number[]>();
        for (const { type, id, pack } of list) {
          const entry = table.add(type, words(id), place(pack));
          const key = `${type} ${id}`;
          expected.set(key, [entry, ...(expected.get(key) ?? [])]);
          assert.deepEqual(table.locationOf(entry), place(pack));
          assert.equal(table.typeOf(entry), type);
          assert.equal(table.idOf(entry), Buffer.from(bytes(id)).toString("hex"));
        }
        assert.equal(table.count, list.length);
        for (const type of ["data", "tree"] as const) {
          for (let id = 0; id < 16; id++) {
            const found: number[] = [];
            let at = table.find(type, words(id));
            for (; at >= 0; at = table.find(type, words(id), at)) found.push(at);
            assert.deepEqual(found, expected.get(`${type} ${id}`) ?? []);
            for (const entry of found) assert.equal(table.canonical(entry), found[0]);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("keeps apart ids that fall into the same chain", () => {
    const table = BlobTable.create(0);
    const ids = Array.from({ length: 50 }, (_, i) => Uint32Array.of(7, 0, 0, 0, 0, 0, 0, i));
    const entries = ids.map((id, i) => table.add("data", id, place(i)));
    assert.deepEqual(
      ids.map((id) => table.find("data", id)),
      entries,
    );
    assert.equal(table.find("tree", ids[0]!), -1);
    assert.equal(table.find("data", Uint32Array.of(7, 0, 0, 0, 0, 0, 1, 0)), -1);
  });

  it("gives a claim once, and keeps it pending until its pack is stored", () => {
    const table = BlobTable.create(0);
    const entry = table.claim("data", words(1));
    assert.ok(entry >= 0 && table.isPending(entry));
    assert.equal(table.claim("data", words(1)), -1);
    assert.ok(table.claim("tree", words(1)) >= 0, "a tree of the same id is another blob");
    table.place(entry, place(5));
    assert.ok(table.isPending(entry));
    table.setPack(entry, 5);
    assert.ok(!table.isPending(entry));
    assert.deepEqual(table.locationOf(entry), place(5));
    table.add("data", words(2), place(1));
    assert.equal(table.claim("data", words(2)), -1, "what is stored cannot be claimed");
  });

  it("holds numbers up to their bounds", () => {
    const table = BlobTable.create(1);
    const largest = {
      pack: 0xffff_fffe,
      offset: 0xffff_ffff,
      length: 0x7fff_ffff,
      uncompressedLength: 0xffff_ffff,
    };
    const entry = table.add("tree", words(1), largest);
    assert.deepEqual(table.locationOf(entry), largest);
    assert.equal(table.typeOf(entry), "tree");
  });

  it("gives every claim of several threads to exactly one of them", async () => {
    const table = BlobTable.create(0);
    const threads = 3;
    // More than the table's first piece of memory holds, so that it grows under the threads.
    const idCount = 350_000;
    const start = new SharedArrayBuffer(4);
    const workers = Array.from({ length: threads }, (_, thread) => {
      const workerData = { shared: table.shared, start, thread, threads, idCount };
      return new Worker(new URL("claim-worker.ts", import.meta.url), { workerData });
    });
    const claimed = workers.map(
      (worker) =>
        new Promise<[number, number][]>((resolve, reject) => {
          worker.once("message", resolve).once("error", reject);
        }),
    );
    const all = (await Promise.all(claimed)).flat();
    assert.equal(all.length, idCount, "every blob has one owner");
    assert.equal(new Set(all.map(([id]) => id)).size, idCount, "no blob has two");
    const random = new SeededRandom(11);
    const ids = Array.from({ length: idCount }, () =>
      idWordsFromBytes(random.bytes(32), new Uint32Array(8)),
    );
    for (const [id, entry] of all) assert.equal(table.find("data", ids[id]!), entry);
  });
});

describe("ids as words", () => {
  it("are the same from hex digits and from bytes, and back", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const hex = Buffer.from(bytes).toString("hex");
        assert.ok(isId(hex));
        const fromHex = idWords(hex, new Uint32Array(8));
        assert.deepEqual(fromHex, idWordsFromBytes(bytes, new Uint32Array(8)));
        const table = BlobTable.create(0);
        const entry = table.claim("data", fromHex);
        assert.equal(table.idOf(entry), hex);
        const copy = new Uint8Array(32);
        table.idBytesOf(entry, copy);
        assert.deepEqual(copy, bytes);
      }),
      { numRuns: 30 },
    );
  });

  it("are only those that a repository file may have", () => {
    for (const text of [
      "",
      "a".repeat(63),
      "a".repeat(65),
      "A".repeat(64),
      "g".repeat(64),
      7,
      null,
    ]) {
      assert.equal(isId(text), false);
    }
    assert.equal(isId(`${"a".repeat(64)}\n`), false);
  });
});
