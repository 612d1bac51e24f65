import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { isComebackError, SCRYPT_MEMORY_MAX_BYTES } from "@comeback/core";
import { SeededRandom } from "@comeback/testkit";
import fc from "fast-check";
import {
  createKeyFile,
  type KeyFile,
  openKeyFile,
  parseKeyFile,
} from "../../src/crypto/key-file.ts";
import {
  decodeMasterKey,
  encodeMasterKey,
  generateMasterKey,
} from "../../src/crypto/master-key.ts";

const random = new SeededRandom(1);
const KEY = generateMasterKey(random);
const OWNER = { username: "me", hostname: "here", created: "2026-01-02T03:04:05Z" };
const BYTES = await createKeyFile(KEY, "secret", OWNER, random, { N: 16, r: 1, p: 1 });
const TEXT = Buffer.from(BYTES).toString();

/** Parses a text under the name that it must have. */
function parse(text: string | Uint8Array): KeyFile {
  const bytes = Buffer.from(text);
  return parseKeyFile(bytes, createHash("sha256").update(bytes).digest("hex"));
}

const isDamage = (error: unknown): boolean => isComebackError(error, "repository.damaged");

describe("key files", () => {
  it("give the master key to who knows the password, and to nobody else", async () => {
    const file = parse(TEXT);
    assert.deepEqual(await openKeyFile(file, "secret", random), KEY);
    assert.equal(await openKeyFile(file, "Secret", random), undefined);
    assert.equal(await openKeyFile(file, "", random), undefined);
  });

  it("hold what restic's hold, in its order", () => {
    assert.deepEqual(Object.keys(JSON.parse(TEXT)), [
      "created",
      "username",
      "hostname",
      "kdf",
      "N",
      "r",
      "p",
      "salt",
      "data",
    ]);
    assert.equal(Buffer.from(JSON.parse(TEXT).salt, "base64").length, 64);
  });

  it("must have the name that their content gives them", () => {
    assert.throws(() => parseKeyFile(BYTES, "0".repeat(64)), isDamage);
  });

  it("cannot make us spend memory or time without a bound", () => {
    const withCost = (cost: object): string => JSON.stringify({ ...JSON.parse(TEXT), ...cost });
    for (const cost of [
      { N: 2 ** 30 },
      { N: 2 ** 20, r: 2 ** 10 },
      { N: 2 ** 53 },
      { N: 15 },
      { N: 1 },
      { N: 0 },
      { N: -16 },
      { N: 16.5 },
      { N: "16" },
      { r: 0 },
      { r: 2 ** 31 },
      { p: 0 },
      { p: 2 ** 40 },
      { N: 2 ** 17, r: 8, p: 65 },
      { N: 16, r: 1, p: 2 ** 22 + 1 },
    ]) {
      assert.throws(() => parse(withCost(cost)), isDamage, JSON.stringify(cost));
    }
    const most = SCRYPT_MEMORY_MAX_BYTES / 128 / 8;
    assert.equal(parse(withCost({ N: most, r: 8 })).N, most);
  });

  it("are refused where a field is missing or odd", () => {
    for (const text of ["", "{", "null", "7", "[]", '"x"', "{}"]) {
      assert.throws(
        () => parse(text),
        (error) => isComebackError(error),
        text,
      );
    }
    for (const field of ["N", "r", "p", "salt", "data"]) {
      assert.throws(() => parse(JSON.stringify({ ...JSON.parse(TEXT), [field]: null })), isDamage);
    }
    const otherKdf = TEXT.replace('"scrypt"', '"argon2"');
    assert.throws(() => parse(otherKdf), { code: "repository.unknown-version" });
  });

  it("fail plainly after any change of their bytes", async () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(changes, async (list) => {
        const bytes = Buffer.from(BYTES);
        for (const [place, byte] of list) bytes[place % bytes.length] = byte;
        try {
          const file = parse(bytes);
          // A changed digit may ask for up to a gigabyte and many seconds, within the bounds.
          if (file.N * file.r * file.p > 2000) return;
          const key = await openKeyFile(file, "secret", random);
          assert.ok(key === undefined || Buffer.from(key.encrypt).equals(KEY.encrypt));
        } catch (error) {
          assert.ok(isComebackError(error), String(error));
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("the master key's JSON", () => {
  it("comes back as it was", () => {
    assert.deepEqual(decodeMasterKey(encodeMasterKey(KEY)), KEY);
  });

  it("is never quoted in an error", () => {
    const json = encodeMasterKey(KEY).toString();
    for (const text of [json.slice(1), json.slice(0, -1), json.replaceAll("=", ""), "null", "{}"]) {
      const isQuiet = (error: unknown): boolean => {
        const all = `${String(error)} ${JSON.stringify(error)} ${String((error as Error).cause)}`;
        return isDamage(error) && !all.includes(json.slice(20, 30));
      };
      if (text === json.replaceAll("=", ""))
        assert.deepEqual(decodeMasterKey(Buffer.from(text)), KEY);
      else assert.throws(() => decodeMasterKey(Buffer.from(text)), isQuiet, text);
    }
  });
});
