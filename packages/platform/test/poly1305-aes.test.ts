import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createNativePoly1305Aes, createPortablePoly1305Aes } from "@comeback/platform";

const bytes = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

/** Poly1305-AES, D. J. Bernstein, appendix B: k, r, nonce, message, authenticator. */
const VECTORS = [
  [
    "ec074c835580741701425b623235add6",
    "851fc40c3467ac0be05cc20404f3f700",
    "fb447350c4e868c52ac3275cf9d4327e",
    "f3f6",
    "f4c633c3044fc145f84f335cb81953de",
  ],
  [
    "75deaa25c09f208e1dc4ce6b5cad3fbf",
    "a0f3080000f46400d0c7e9076c834403",
    "61ee09218d29b0aaed7e154a2c5509cc",
    "",
    "dd3fab2251f11ac759f0887129cc2ee7",
  ],
  [
    "6acb5f61a7176dd320c5c1eb2edcdc74",
    "48443d0bb0d21109c89a100b5ce2c208",
    "ae212a55399729595dea458bc621ff0e",
    "663cea190ffb83d89593f3f476b6bc24d7e679107ea26adb8caf6652d0656136",
    "0ee1c16bb73f0f4fd19881753c01cdbe",
  ],
  [
    "e1a5668a4d5b66a5f68cc5424ed5982d",
    "12976a08c4426d0ce8a82407c4f48207",
    "9ae831e743978d3a23527c7128149e3a",
    "ab0812724a7f1e342742cbed374d94d136c6b8795d45b3819830f2c04491faf0990c62e48b8018b2c3e4a0fa3134cb67fa83e158c994d961c4cb21095c1bf9",
    "5154ad0d2cb26e01274fc51148491f1b",
  ],
] as const;

for (const create of [createNativePoly1305Aes, createPortablePoly1305Aes]) {
  test(`${create.name}: the published vectors, one context for many messages`, () => {
    for (const [k, r, nonce, message, expected] of VECTORS) {
      using mac = create(bytes(k), bytes(r));
      assert.ok(mac !== undefined, "this Node offers it");
      for (let i = 0; i < 3; i++) {
        const tag: Uint8Array = mac.authenticate(bytes(nonce), bytes(message));
        assert.equal(Buffer.from(tag).toString("hex"), expected);
      }
    }
  });

  test(`${create.name}: a nonce of another length is refused`, () => {
    using mac = create(Buffer.alloc(16), Buffer.alloc(16));
    assert.throws(() => mac?.authenticate(Buffer.alloc(15), Buffer.alloc(1)));
  });
}

test("both ways agree on anything (property)", () => {
  const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 });
  const message = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(sixteen, sixteen, sixteen, message, (k, r, nonce, content) => {
      using native = createNativePoly1305Aes(k, r);
      using portable = createPortablePoly1305Aes(k, r);
      assert.ok(native !== undefined);
      assert.deepEqual(
        Buffer.from(native.authenticate(nonce, content)),
        Buffer.from(portable.authenticate(nonce, content)),
      );
    }),
    { seed: 11 },
  );
});
