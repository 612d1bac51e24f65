import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createNativePoly1305Aes } from "../src/poly1305-aes.ts";
import { createNativeAesCtr } from "../src/stream-ciphers.ts";
import { createNativeZstd } from "../src/zstd.ts";

const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(7);

describe("what holds memory of a native library", () => {
  it("fails where it is used after that was freed, and may be disposed twice", () => {
    const zstd = createNativeZstd({ level: 3 });
    const ctr = createNativeAesCtr(bytes(32));
    const mac = createNativePoly1305Aes(bytes(16), bytes(16));
    assert.ok(zstd !== undefined && ctr !== undefined && mac !== undefined);
    const uses = [
      () => void zstd.compress(bytes(100), bytes(200)),
      () => void zstd.decompress(bytes(100), bytes(200)),
      () => ctr.apply(bytes(16), bytes(100), bytes(100)),
      () => void mac.authenticate(bytes(16), bytes(100)),
    ];
    for (const use of uses) use();
    for (const owner of [zstd, ctr, mac]) {
      owner[Symbol.dispose]();
      owner[Symbol.dispose]();
    }
    for (const use of uses) assert.throws(use, /used after it was disposed/);
  });
});
