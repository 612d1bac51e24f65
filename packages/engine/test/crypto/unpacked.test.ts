import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { constants, zstdCompressSync } from "node:zlib";
import { isComebackError } from "@comeback/core";
import { createZstd } from "@comeback/platform";
import { SeededRandom } from "@comeback/testkit";
import fc from "fast-check";
import { BoxCipher } from "../../src/crypto/box.ts";
import { generateMasterKey } from "../../src/crypto/master-key.ts";
import { decodeUnpacked, encodeUnpacked } from "../../src/crypto/unpacked.ts";

const cipher = new BoxCipher(generateMasterKey(new SeededRandom(4)), new SeededRandom(5));
const codec = { cipher, zstd: createZstd({ level: 3 }) };

describe("index, snapshot and lock files", () => {
  it("come back as they were, in both versions", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(1, 2), (value, version) => {
        const json = Buffer.from(JSON.stringify({ value }));
        const stored = encodeUnpacked(json, version, codec);
        assert.deepEqual(Buffer.from(decodeUnpacked(stored, codec, "it")), json);
      }),
    );
  });

  it("are plain JSON in version 1 and compressed JSON in version 2", () => {
    const json = Buffer.from("{}");
    assert.deepEqual(cipher.open(encodeUnpacked(json, 1, codec)), new Uint8Array(json));
    assert.equal(cipher.open(encodeUnpacked(json, 2, codec))?.[0], 2);
  });

  it("are read where the frame does not say its size, and where one follows another", () => {
    const json = Buffer.from('{"a":1}');
    const silent = zstdCompressSync(json, { params: { [constants.ZSTD_c_contentSizeFlag]: 0 } });
    const two = [json.subarray(0, 4), json.subarray(4)].map((part) => zstdCompressSync(part));
    for (const frames of [silent, zstdCompressSync(json), Buffer.concat(two)]) {
      const stored = cipher.seal(Buffer.concat([Buffer.from([2]), frames]));
      assert.deepEqual(Buffer.from(decodeUnpacked(stored, codec, "it")), json);
    }
  });

  it("fail with a plain error whatever is sealed in them", () => {
    const frame = zstdCompressSync(Buffer.from('{"a":1}'));
    const contents = [
      Buffer.alloc(0),
      Buffer.from("x"),
      Buffer.from([0]),
      Buffer.from([3, ...frame]),
      Buffer.from([2]),
      Buffer.from([2, ...frame.subarray(0, -1)]),
      Buffer.from([2, 1, 2, 3, 4]),
    ];
    for (const content of contents) {
      const stored = cipher.seal(content);
      const isDamage = (error: unknown): boolean =>
        isComebackError(error, "repository.damaged") && error.message.includes("index 1234");
      assert.throws(() => decodeUnpacked(stored, codec, "index 1234"), isDamage);
    }
  });

  it("cannot make us allocate without a bound", () => {
    // 600 MiB of zeros compress to 20 KB; that is beyond what an index may be.
    const bomb = zstdCompressSync(Buffer.alloc(600 * 1024 * 1024));
    const stored = cipher.seal(Buffer.concat([Buffer.from([2]), bomb]));
    assert.throws(() => decodeUnpacked(stored, codec, "it"), { code: "repository.damaged" });
  });
});
