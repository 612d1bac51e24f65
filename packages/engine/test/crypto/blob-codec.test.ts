import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  createNativeAesCtr,
  createNativeZstd,
  createPortableAesCtr,
  createPortableZstd,
  compressBound,
} from "@comeback/platform";
import { SeededRandom } from "@comeback/testkit";
import fc from "fast-check";
import {
  BlobCodec,
  type CompressionMode,
  COMPRESSION_MODES,
  sealedBound,
  sha256,
} from "../../src/crypto/blob-codec.ts";
import { generateMasterKey } from "../../src/crypto/master-key.ts";

const KEY = generateMasterKey(new SeededRandom(9));

function codec(options: { version?: 1 | 2; compression?: CompressionMode } = {}): BlobCodec {
  const { version = 2, compression = "auto" } = options;
  return new BlobCodec({
    key: KEY,
    random: new SeededRandom(1),
    compression,
    version,
    verify: true,
  });
}

/** Compressible and incompressible content of all sizes that matter. */
const content = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.string({ maxLength: 3000 }).map((text) => new Uint8Array(Buffer.from(text.repeat(5)))),
  fc.nat(200_000).map((length) => new SeededRandom(length).bytes(length)),
  fc.nat(300_000).map((length) => new Uint8Array(length)),
);

describe("blobs", () => {
  it("come back as they were, in both versions and every mode", () => {
    const codecs = COMPRESSION_MODES.flatMap((compression) =>
      ([1, 2] as const).map((version) => codec({ version, compression })),
    );
    fc.assert(
      fc.property(content, fc.constantFrom("data", "tree"), (plaintext, type) => {
        for (const one of codecs) {
          const id = sha256(plaintext);
          const target = new Uint8Array(sealedBound(plaintext.length));
          const sealed = one.seal(type, id, plaintext, target);
          const box = target.subarray(0, sealed.length);
          assert.deepEqual(one.open(id, box, sealed.uncompressedLength)?.slice(), plaintext);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("are compressed where restic compresses them", () => {
    const text = Buffer.alloc(1000, "abc");
    const isCompressed = (
      one: BlobCodec,
      type: "data" | "tree",
      plaintext: Uint8Array,
    ): boolean => {
      const target = new Uint8Array(sealedBound(plaintext.length));
      return one.seal(type, sha256(plaintext), plaintext, target).uncompressedLength > 0;
    };
    assert.equal(isCompressed(codec(), "data", text), true);
    assert.equal(isCompressed(codec({ compression: "off" }), "data", text), false);
    assert.equal(isCompressed(codec({ compression: "off" }), "tree", text), true);
    assert.equal(isCompressed(codec({ version: 1 }), "tree", text), false);
    assert.equal(isCompressed(codec(), "data", new Uint8Array(0)), false);
  });

  it("are refused with another id, another length, or any damage", () => {
    const plaintext = Buffer.alloc(5000, "some text ");
    const id = sha256(plaintext);
    const one = codec();
    const target = new Uint8Array(sealedBound(plaintext.length));
    const { length, uncompressedLength } = one.seal("data", id, plaintext, target);
    const box = target.slice(0, length);
    assert.notEqual(one.open(id, box, uncompressedLength), undefined);
    assert.equal(one.open(sha256(id), box, uncompressedLength), undefined, "other id");
    for (const other of [0, 1, uncompressedLength - 1, uncompressedLength + 1, 0xffff_ffff]) {
      assert.equal(one.open(id, box, other), undefined, `length ${other}`);
    }
    for (const at of [0, 16, 40, length - 1]) {
      const changed = box.slice();
      changed[at]! ^= 1;
      assert.equal(one.open(id, changed, uncompressedLength), undefined, `byte ${at}`);
    }
  });

  it("are found out before they are stored where the memory fails", () => {
    const plaintext = Buffer.from("content");
    const wrongId = sha256(Buffer.from("other content"));
    assert.throws(() => codec().seal("data", wrongId, plaintext, new Uint8Array(5000)), {
      code: "repository.damaged",
    });
  });
});

describe("native and portable primitives", () => {
  it("are the same AES", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc.uint8Array({ maxLength: 1000 }),
        (key, iv, plaintext) => {
          const native = createNativeAesCtr(key);
          assert.ok(native, "this Node exports libcrypto");
          const [a, b] = [new Uint8Array(plaintext.length), new Uint8Array(plaintext.length)];
          native.apply(iv, plaintext, a);
          createPortableAesCtr(key).apply(iv, plaintext, b);
          assert.deepEqual(a, b);
          native.apply(iv, a, a);
          assert.deepEqual(a, plaintext, "in place and back");
          native[Symbol.dispose]();
        },
      ),
    );
  });

  it("are the same zstd, each reading the other's frames", () => {
    const native = createNativeZstd({ level: 3 });
    assert.ok(native, "this Node exports libzstd");
    const portable = createPortableZstd({ level: 3 });
    fc.assert(
      fc.property(content, (plaintext) => {
        const frames = [native, portable].map((zstd) => {
          const target = new Uint8Array(compressBound(plaintext.length));
          const length = zstd.compress(plaintext, target);
          assert.ok(length > 0);
          return target.slice(0, length);
        });
        assert.deepEqual(frames[0], frames[1]);
        for (const zstd of [native, portable]) {
          const target = new Uint8Array(plaintext.length);
          assert.equal(zstd.decompress(frames[0]!, target), plaintext.length);
          assert.deepEqual(target, plaintext);
        }
      }),
      { numRuns: 60 },
    );
    native[Symbol.dispose]();
  });

  it("refuse broken frames and targets that are too small alike", () => {
    const native = createNativeZstd({ level: 3 })!;
    const portable = createPortableZstd({ level: 3 });
    const plaintext = Buffer.alloc(3000, "xyz");
    const frame = new Uint8Array(compressBound(plaintext.length));
    const length = native.compress(plaintext, frame);
    for (const zstd of [native, portable]) {
      assert.equal(zstd.compress(new SeededRandom(1).bytes(100), new Uint8Array(50)), -1);
      assert.equal(zstd.decompress(frame.subarray(0, length), new Uint8Array(2999)), -1);
      assert.equal(zstd.decompress(frame.subarray(0, length - 1), new Uint8Array(3000)), -1);
      assert.equal(zstd.decompress(Buffer.from("no frame"), new Uint8Array(3000)), -1);
      assert.ok(zstd.decompress(new Uint8Array(0), new Uint8Array(10)) <= 0);
    }
    native[Symbol.dispose]();
  });
});
