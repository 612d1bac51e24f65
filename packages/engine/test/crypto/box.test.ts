import assert from "node:assert/strict";
import { createCipheriv, createMac } from "node:crypto";
import { describe, it } from "node:test";
import { SeededRandom } from "@comeback/testkit";
import fc from "fast-check";
import { BOX_OVERHEAD_BYTES, BoxCipher } from "../../src/crypto/box.ts";
import type { MasterKey } from "../../src/crypto/master-key.ts";

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));

/** From the appendix of D. J. Bernstein's "The Poly1305-AES message-authentication code". */
const POLY1305_AES = [
  {
    message: "f3f6",
    r: "851fc40c3467ac0be05cc20404f3f700",
    k: "ec074c835580741701425b623235add6",
    nonce: "fb447350c4e868c52ac3275cf9d4327e",
    mac: "f4c633c3044fc145f84f335cb81953de",
  },
  {
    message: "",
    r: "a0f3080000f46400d0c7e9076c834403",
    k: "75deaa25c09f208e1dc4ce6b5cad3fbf",
    nonce: "61ee09218d29b0aaed7e154a2c5509cc",
    mac: "dd3fab2251f11ac759f0887129cc2ee7",
  },
  {
    message: "663cea190ffb83d89593f3f476b6bc24d7e679107ea26adb8caf6652d0656136",
    r: "48443d0bb0d21109c89a100b5ce2c208",
    k: "6acb5f61a7176dd320c5c1eb2edcdc74",
    nonce: "ae212a55399729595dea458bc621ff0e",
    mac: "0ee1c16bb73f0f4fd19881753c01cdbe",
  },
  {
    message:
      "ab0812724a7f1e342742cbed374d94d136c6b8795d45b3819830f2c04491faf0" +
      "990c62e48b8018b2c3e4a0fa3134cb67fa83e158c994d961c4cb21095c1bf9",
    r: "12976a08c4426d0ce8a82407c4f48207",
    k: "e1a5668a4d5b66a5f68cc5424ed5982d",
    nonce: "9ae831e743978d3a23527c7128149e3a",
    mac: "5154ad0d2cb26e01274fc51148491f1b",
  },
];

/** A box of restic's own tests, made by restic. */
const RESTIC_KEY: MasterKey = {
  encrypt: hex("303e8687b1d7db18421bdc6bb8588ccadac4d59ee87b8ff70c44e635790cafef"),
  macK: hex("ef4d8824cb80b2bcc5fbff8a9b12a42c"),
  macR: hex("cc8d4b948ee0ebfe1d415de921d10353"),
};
const RESTIC_BOX = hex(
  "69fb41c62d12def4593bd71757138606338f621aeaeb39da0fe4f99233f8037a54ea63338a813bcf3f75d8c3cc75dddf8750",
);

/** What restic up to 0.16 stored in key files. */
function masked(key: MasterKey): MasterKey {
  const macR = key.macR.slice();
  for (const i of [3, 7, 11, 15]) macR[i]! &= 0x0f;
  for (const i of [4, 8, 12]) macR[i]! &= 0xfc;
  return { ...key, macR };
}

function cipherOf(key: MasterKey, seed = 1): BoxCipher {
  return new BoxCipher(key, new SeededRandom(seed));
}

function randomKey(seed: number): MasterKey {
  const random = new SeededRandom(seed);
  return { encrypt: random.bytes(32), macK: random.bytes(16), macR: random.bytes(16) };
}

describe("the box of encrypted data", () => {
  it("has the MAC of Poly1305-AES", () => {
    for (const { message, r, k, nonce, mac } of POLY1305_AES) {
      // The IV is chosen so that it is the vector's nonce; what is encrypted does not matter.
      const pad = createCipheriv("aes-128-ecb", hex(k), null).setAutoPadding(false);
      const key = Buffer.concat([hex(r), pad.update(hex(nonce))]);
      assert.equal(createMac("poly1305", key).update(hex(message)).final().toString("hex"), mac);

      const box = Buffer.concat([hex(nonce), hex(message), hex(mac)]);
      const cipher = cipherOf({ encrypt: new Uint8Array(32), macK: hex(k), macR: hex(r) });
      assert.equal(cipher.open(box)?.length, hex(message).length, "the MAC holds");
    }
  });

  it("opens what restic sealed", () => {
    const opened = cipherOf(RESTIC_KEY).open(RESTIC_BOX);
    assert.equal(Buffer.from(opened!).toString(), "Dies ist ein Test!");
  });

  it("takes a masked MAC key and a raw one for the same", () => {
    fc.assert(
      fc.property(fc.nat(), fc.uint8Array({ maxLength: 200 }), (seed, plaintext) => {
        const key = randomKey(seed);
        const box = cipherOf(key).seal(plaintext);
        assert.deepEqual(cipherOf(masked(key)).open(box), plaintext);
        assert.deepEqual(cipherOf(key).open(cipherOf(masked(key)).seal(plaintext)), plaintext);
      }),
      { numRuns: 50 },
    );
  });

  it("gives back what went in, wherever the plaintext stood", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), fc.boolean(), (plaintext, inPlace) => {
        const cipher = cipherOf(RESTIC_KEY);
        const target = new Uint8Array(plaintext.length + BOX_OVERHEAD_BYTES + 5);
        let source: Uint8Array = plaintext;
        if (inPlace) {
          target.set(plaintext, 16);
          source = target.subarray(16, 16 + plaintext.length);
        }
        const length = cipher.sealInto(source, target);
        assert.equal(length, plaintext.length + BOX_OVERHEAD_BYTES);
        assert.deepEqual(cipher.open(target.subarray(0, length)), plaintext);
      }),
    );
  });

  it("does not open after any single bit has changed, nor when it is cut", () => {
    const box = cipherOf(RESTIC_KEY).seal(Buffer.from("some content"));
    for (let bit = 0; bit < box.length * 8; bit++) {
      const changed = box.slice();
      changed[bit >>> 3]! ^= 1 << (bit & 7);
      assert.equal(cipherOf(RESTIC_KEY).open(changed), undefined, `bit ${bit}`);
    }
    for (let length = 0; length < box.length; length++) {
      assert.equal(
        cipherOf(RESTIC_KEY).open(box.subarray(0, length)),
        undefined,
        `${length} bytes`,
      );
    }
  });

  it("refuses an IV of zeros, as restic does, and never draws one", () => {
    const key = randomKey(3);
    const ciphertext = Buffer.alloc(8);
    const pad = createCipheriv("aes-128-ecb", key.macK, null).setAutoPadding(false);
    const macKey = Buffer.concat([key.macR, pad.update(Buffer.alloc(16))]);
    const mac = createMac("poly1305", macKey).update(ciphertext).final();
    const box = Buffer.concat([Buffer.alloc(16), ciphertext, mac]);
    assert.equal(cipherOf(key).open(box), undefined);

    let draws = 0;
    const stuckAtFirst = { fill: <T extends Uint8Array>(t: T): T => t.fill(draws++ === 0 ? 0 : 7) };
    const sealed = new BoxCipher(key, stuckAtFirst).seal(ciphertext);
    assert.deepEqual(sealed.subarray(0, 16), new Uint8Array(16).fill(7));
  });

  it("uses a new IV for every box", () => {
    const cipher = cipherOf(RESTIC_KEY);
    const ivs = new Set<string>();
    for (let i = 0; i < 3000; i++) {
      ivs.add(Buffer.from(cipher.seal(new Uint8Array(0)).subarray(0, 16)).toString("hex"));
    }
    assert.equal(ivs.size, 3000);
  });

  it("says so where a box does not fit", () => {
    const cipher = cipherOf(RESTIC_KEY);
    assert.equal(cipher.openInto(RESTIC_BOX, new Uint8Array(3)), -1);
    assert.throws(() => cipher.sealInto(new Uint8Array(10), new Uint8Array(20)), {
      code: "internal.assertion",
    });
  });
});
