import assert from "node:assert/strict";
import { scryptSync } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { compile, RO_MIX } from "../../scripts/build-wasm.ts";
import { deriveBytes, mixOnThreads, type ScryptCost } from "../../src/crypto/parallel-scrypt.ts";
import { RO_MIX_WASM_BASE64 } from "../../src/crypto/ro-mix-wasm.ts";

function byOpenssl(password: string, salt: Uint8Array, cost: ScryptCost): Buffer {
  return scryptSync(password, salt, 64, { ...cost, maxmem: 2 ** 30 });
}

describe("scrypt on several threads", () => {
  it("gives the values of RFC 7914", async () => {
    const vectors: [string, string, ScryptCost, string][] = [
      [
        "",
        "",
        { N: 16, r: 1, p: 1 },
        "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442" +
          "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906",
      ],
      [
        "password",
        "NaCl",
        { N: 1024, r: 8, p: 16 },
        "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162" +
          "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640",
      ],
      [
        "pleaseletmein",
        "SodiumChloride",
        { N: 16384, r: 8, p: 1 },
        "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2" +
          "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887",
      ],
    ];
    for (const [password, salt, cost, hex] of vectors) {
      const key = await mixOnThreads(password, Buffer.from(salt), cost, 2);
      assert.equal(key.toString("hex"), hex);
    }
  });

  it("gives what OpenSSL gives, for any cost and any number of threads", async () => {
    const cost = fc.record({
      N: fc.integer({ min: 1, max: 7 }).map((bits) => 2 ** bits),
      r: fc.integer({ min: 1, max: 9 }),
      p: fc.integer({ min: 1, max: 9 }),
    });
    const salts = fc.uint8Array({ maxLength: 70 });
    await fc.assert(
      fc.asyncProperty(
        fc.string(),
        salts,
        cost,
        fc.integer({ min: 1, max: 4 }),
        async (...given) => {
          const [password, salt, chosen, threads] = given;
          const key = await mixOnThreads(password, salt, chosen, threads);
          assert.deepEqual(key, byOpenssl(password, salt, chosen));
        },
      ),
      { numRuns: 15 },
    );
  });

  it("is the same function, whichever way is taken", async () => {
    const salt = Buffer.alloc(64, 7);
    for (const cost of [
      { N: 4096, r: 8, p: 8 },
      { N: 32, r: 8, p: 3 },
      // More memory than threads may have together.
      { N: 2 ** 16, r: 8, p: 4 },
    ]) {
      assert.deepEqual(
        await deriveBytes("pässword", salt, cost),
        byOpenssl("pässword", salt, cost),
      );
    }
  });

  it("runs what its source compiles to", () => {
    assert.equal(compile(RO_MIX).toString("base64"), RO_MIX_WASM_BASE64);
  });
});
