import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isComebackError } from "@comeback/core";
import { SeededRandom } from "@comeback/testkit";
import fc from "fast-check";
import { BoxCipher } from "../../src/crypto/box.ts";
import { generateMasterKey } from "../../src/crypto/master-key.ts";
import { decodeConfig, encodeConfig, type RepositoryConfig } from "../../src/repository/config.ts";

const cipher = new BoxCipher(generateMasterKey(new SeededRandom(1)), new SeededRandom(2));
const decode = (json: string): RepositoryConfig =>
  decodeConfig(cipher.seal(Buffer.from(json)), cipher);

const ID = "0123456789abcdef".repeat(4);
const POLYNOMIAL = "25b468838dcb75";
const CONFIG = `{"version":2,"id":"${ID}","chunker_polynomial":"${POLYNOMIAL}"}`;

describe("the config file", () => {
  it("is read, and rewritten with the keys of other programs", () => {
    const json = CONFIG.replace("}", ',"is_hot":true,"treepack_size":4194304,"x":{"y":[1]}}');
    const config = decode(json);
    assert.equal(config.version, 2);
    assert.equal(config.id, ID);
    assert.equal(config.chunkerPolynomial, 0x25b468838dcb75n);
    const rewritten = cipher.open(encodeConfig(config, cipher));
    assert.equal(Buffer.from(rewritten!).toString(), json);
  });

  it("of another version is named as such", () => {
    for (const version of [0, 3, 99]) {
      assert.throws(() => decode(CONFIG.replace("2", String(version))), {
        code: "repository.unknown-version",
      });
    }
  });

  it("is refused where anything in it cannot be", () => {
    for (const json of [
      "",
      "null",
      "[]",
      "7",
      "{}",
      CONFIG.slice(0, -1),
      CONFIG.replace("2", '"2"'),
      CONFIG.replace("2", "1.5"),
      CONFIG.replace(ID, "12"),
      CONFIG.replace(POLYNOMIAL, "xyz"),
      CONFIG.replace(POLYNOMIAL, "3"),
      CONFIG.replace(POLYNOMIAL, "1".repeat(17)),
      CONFIG.replace(`"${POLYNOMIAL}"`, "7"),
    ]) {
      assert.throws(() => decode(json), { code: "repository.damaged" }, json);
    }
    const sealed = cipher.seal(Buffer.from(CONFIG));
    sealed[20]! ^= 1;
    assert.throws(() => decodeConfig(sealed, cipher), { code: "repository.damaged" });
  });

  it("fails plainly after any change of its text", () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(changes, (list) => {
        const json = Buffer.from(CONFIG);
        for (const [place, byte] of list) json[place % json.length] = byte;
        try {
          decode(json.toString("latin1"));
        } catch (error) {
          assert.ok(isComebackError(error), String(error));
        }
      }),
      { numRuns: 1000 },
    );
  });
});
