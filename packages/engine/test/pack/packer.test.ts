import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "@comeback/testkit";
import fc from "fast-check";
import { BlobCodec, sha256 } from "../../src/crypto/blob-codec.ts";
import { generateMasterKey } from "../../src/crypto/master-key.ts";
import { BlobTable, idWordsFromBytes } from "../../src/index/blob-table.ts";
import { decodePackHeader, packHeaderLength } from "../../src/pack/header.ts";
import { type FinishedPack, packedBlob, Packer } from "../../src/pack/packer.ts";

const codec = new BlobCodec({
  key: generateMasterKey(new SeededRandom(1)),
  random: new SeededRandom(2),
  compression: "auto",
  version: 2,
  verify: true,
});

const PACK_SIZE_BYTES = 100_000;

function newPacker(table: BlobTable): Packer {
  return new Packer({ codec, table, type: "data", packSizeBytes: PACK_SIZE_BYTES });
}

function claim(table: BlobTable, content: Uint8Array): { id: Buffer; entry: number } {
  const id = sha256(content);
  return { id, entry: table.claim("data", idWordsFromBytes(id, new Uint32Array(8))) };
}

/** Opens a finished pack by nothing but its own bytes. */
function contentsOf({ id, buffer, bytes }: FinishedPack): Buffer[] {
  const pack = new Uint8Array(buffer, 0, bytes);
  assert.equal(sha256(pack).toString("hex"), id, "the name is the hash of the content");
  const length = packHeaderLength(pack.subarray(-4), bytes, "it");
  const start = bytes - 4 - length;
  const header = decodePackHeader(pack.subarray(start, -4), start, codec.cipher, "it");
  return header.map((blob) => {
    const box = pack.subarray(blob.offset, blob.offset + blob.length);
    const plaintext = codec.open(Buffer.from(blob.id, "hex"), box, blob.uncompressedLength);
    assert.ok(plaintext, `blob ${blob.id} opens`);
    return Buffer.from(plaintext);
  });
}

const contents = fc.uniqueArray(
  fc.tuple(fc.nat(1000), fc.oneof(fc.nat(100), fc.nat(150_000))).map(([seed, length]) => {
    return Buffer.from(new SeededRandom(seed).bytes(length));
  }),
  { maxLength: 12, selector: (content) => sha256(content).toString("hex") },
);

describe("the packer", () => {
  it("makes packs that hold what went in, and the table says where", () => {
    fc.assert(
      fc.property(contents, (list) => {
        const table = BlobTable.create(0);
        const packer = newPacker(table);
        for (const content of list) {
          const { id, entry } = claim(table, content);
          packer.add(id, entry, content);
        }
        if (list.length === 0) {
          assert.equal(packer.take(), undefined);
          return;
        }
        const pack = packer.finish();
        assert.deepEqual(contentsOf(pack), list);
        assert.ok(packer.isEmpty);
        for (const entry of pack.entries) {
          const { id, offset, length, uncompressedLength } = packedBlob(table, entry);
          const box = new Uint8Array(pack.buffer, offset, length);
          assert.ok(codec.open(Buffer.from(id, "hex"), box, uncompressedLength));
        }
      }),
      { numRuns: 40 },
    );
  });

  it("takes over what others left open", () => {
    const table = BlobTable.create(0);
    const packers = [newPacker(table), newPacker(table)];
    const list = Array.from({ length: 9 }, (_, i) => Buffer.alloc(1000 * i + 1, `content ${i}`));
    for (const [i, content] of list.entries()) {
      const { id, entry } = claim(table, content);
      packers[i % 2]?.add(id, entry, content);
    }
    const merged = newPacker(table);
    for (const packer of packers) {
      const open = packer.take();
      assert.ok(open);
      for (const entry of open.entries) merged.absorb(open, entry);
    }
    const order = [0, 2, 4, 6, 8, 1, 3, 5, 7];
    assert.deepEqual(
      contentsOf(merged.finish()),
      order.map((i) => list[i]),
    );
  });

  it("is full at its size, header included, and takes one blob of any size beyond it", () => {
    const table = BlobTable.create(0);
    const packer = newPacker(table);
    const random = new SeededRandom(7);
    let sum = 0;
    while (!packer.isFull) {
      const content = random.bytes(5000);
      const { id, entry } = claim(table, content);
      sum += packer.add(id, entry, content);
    }
    assert.ok(sum > PACK_SIZE_BYTES - 10_000 && sum < PACK_SIZE_BYTES + 6000, `${sum} bytes`);
    const large = random.bytes(12_000_000);
    const { id, entry } = claim(table, large);
    packer.add(id, entry, large);
    const pack = packer.finish();
    assert.ok(pack.bytes > 12_000_000);
    assert.deepEqual(contentsOf(pack).at(-1), Buffer.from(large));
  });
});
