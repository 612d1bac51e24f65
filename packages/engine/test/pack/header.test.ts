import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isComebackError, PACK_HEADER_MAX_BYTES } from "@comeback/core";
import { SeededRandom } from "@comeback/testkit";
import fc from "fast-check";
import { BoxCipher } from "../../src/crypto/box.ts";
import { generateMasterKey } from "../../src/crypto/master-key.ts";
import {
  decodePackHeader,
  encodePackHeader,
  packHeaderBytes,
  packHeaderLength,
  type PackedBlob,
} from "../../src/pack/header.ts";

const cipher = new BoxCipher(generateMasterKey(new SeededRandom(1)), new SeededRandom(2));

const blobs: fc.Arbitrary<PackedBlob[]> = fc
  .array(
    fc.record({
      type: fc.constantFrom("data" as const, "tree" as const),
      id: fc
        .uint8Array({ minLength: 32, maxLength: 32 })
        .map((id) => Buffer.from(id).toString("hex")),
      length: fc.integer({ min: 32, max: 0x0400_0000 }),
      uncompressedLength: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 0xffff_ffff })),
    }),
    { maxLength: 40 },
  )
  .map((list) => {
    let offset = 0;
    return list.map((blob) => {
      const placed = { ...blob, offset };
      offset += blob.length;
      return placed;
    });
  });

const endOf = (list: readonly PackedBlob[]): number =>
  list.reduce((end, { offset, length }) => Math.max(end, offset + length), 0);

const isDamage = (error: unknown): boolean => isComebackError(error, "repository.damaged");

describe("the header of a pack", () => {
  it("comes back as it was", () => {
    fc.assert(
      fc.property(blobs, (list) => {
        const stored = Buffer.from(encodePackHeader(list, cipher));
        assert.equal(stored.length, packHeaderBytes(list));
        const length = packHeaderLength(stored, 2 ** 40, "it");
        assert.equal(length, stored.length - 4);
        const box = stored.subarray(0, length);
        assert.deepEqual(decodePackHeader(box, endOf(list), cipher, "it"), list);
      }),
    );
  });

  it("has entries of 37 and 41 bytes with the types that restic gives them", () => {
    const id = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    const one = (type: "data" | "tree", uncompressedLength: number): string => {
      const stored = encodePackHeader(
        [{ type, id, offset: 0, length: 258, uncompressedLength }],
        cipher,
      );
      return Buffer.from(cipher.open(stored.subarray(0, -4))!).toString("hex");
    };
    assert.equal(one("data", 0), `0002010000${id}`);
    assert.equal(one("tree", 0), `0102010000${id}`);
    assert.equal(one("data", 515), `020201000003020000${id}`);
    assert.equal(one("tree", 515), `030201000003020000${id}`);
  });

  it("must be as long as the pack leaves room for, and end where the blobs end", () => {
    const trailer = (length: number): Buffer => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32LE(length);
      return bytes;
    };
    for (const length of [0, 1, 31, PACK_HEADER_MAX_BYTES + 1, 0xffff_ffff]) {
      assert.throws(() => packHeaderLength(trailer(length), 2 ** 40, "it"), isDamage);
    }
    assert.throws(() => packHeaderLength(trailer(997), 1000, "it"), isDamage);
    assert.equal(packHeaderLength(trailer(996), 1000, "it"), 996);

    const id = "ab".repeat(32);
    const list = [{ type: "data", id, offset: 0, length: 100, uncompressedLength: 0 }] as const;
    const box = encodePackHeader(list, cipher).subarray(0, -4);
    for (const end of [0, 99, 101]) {
      assert.throws(() => decodePackHeader(box, end, cipher, "it"), isDamage);
    }
  });

  it("fails plainly on any sealed content at all", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(5000), (content, end) => {
        try {
          const list = decodePackHeader(cipher.seal(content), end, cipher, "it");
          assert.ok(list.length <= content.length / 37 && endOf(list) === end);
        } catch (error) {
          assert.ok(isDamage(error), String(error));
        }
      }),
      { numRuns: 500 },
    );
  });

  it("fails plainly after any damage to the stored bytes", () => {
    fc.assert(
      fc.property(blobs, fc.nat(), fc.integer({ min: 1, max: 255 }), (list, place, change) => {
        const stored = Buffer.from(encodePackHeader(list, cipher));
        const at = place % stored.length;
        stored[at]! ^= change;
        assert.throws(() => {
          const length = packHeaderLength(stored, stored.length, "it");
          const start = stored.length - 4 - length;
          decodePackHeader(stored.subarray(start, -4), endOf(list), cipher, "it");
        }, isDamage);
      }),
    );
  });
});
