import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { sha256Into } from "@comeback/platform";

test("it is the SHA-256 of the data, whatever part of a buffer that is (property)", () => {
  const target = new Uint8Array(32);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), fc.nat(20), (buffer, start) => {
      const data = buffer.subarray(Math.min(start, buffer.length));
      sha256Into(data, target);
      assert.deepEqual(Buffer.from(target), createHash("sha256").update(data).digest());
    }),
    { seed: 13 },
  );
});

test("a target of another length is refused: nothing is written beyond it", () => {
  for (const length of [0, 31, 33]) {
    assert.throws(() => sha256Into(new Uint8Array(1), new Uint8Array(length)));
  }
});
