import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "@comeback/testkit";
import fc from "fast-check";
import type { ReadShare } from "../../src/check/check-options.ts";
import { type KnownPack, parseReadDataSubset, selectPacks } from "../../src/check/read-data.ts";

const packs: KnownPack[] = Array.from({ length: 300 }, (_, i) => ({
  id: new SeededRandom(i).hex(32),
  sizeBytes: 1000,
}));

const chosen = (readData: ReadShare, seed = 1): KnownPack[] =>
  selectPacks(packs, readData, new SeededRandom(seed));

describe("the part of the data that is read", () => {
  it("is understood as restic understands it", () => {
    const cases: [string, ReadShare][] = [
      ["1/1", { kind: "part", part: 1, of: 1 }],
      ["3/256", { kind: "part", part: 3, of: 256 }],
      ["100%", { kind: "percentage", percentage: 100 }],
      ["2.5%", { kind: "percentage", percentage: 2.5 }],
      ["1", { kind: "size", sizeBytes: 1 }],
      ["5b", { kind: "size", sizeBytes: 5 }],
      ["5k", { kind: "size", sizeBytes: 5 * 1024 }],
      ["5M", { kind: "size", sizeBytes: 5 * 1024 ** 2 }],
      ["5g", { kind: "size", sizeBytes: 5 * 1024 ** 3 }],
      ["5T", { kind: "size", sizeBytes: 5 * 1024 ** 4 }],
    ];
    for (const [text, readData] of cases) assert.deepEqual(parseReadDataSubset(text), readData);
  });

  it("is refused where it makes no sense", () => {
    const senseless =
      "0/5 6/5 1/0 1/257 1/2/3 -1/5 a/b 1.5/2 0% 101% -5% % x% 0 0M -5M M 5X 5MB 1e3 " +
      "99999999999T NaN%";
    for (const text of ["", "5 M", ...senseless.split(" ")]) {
      assert.throws(() => parseReadDataSubset(text), { code: "option.invalid" }, text);
    }
  });

  it("goes by the first byte of the id, so that all parts together are everything", () => {
    for (const count of [1, 2, 7, 256]) {
      const parts = Array.from({ length: count }, (_, i) =>
        chosen({ kind: "part", part: i + 1, of: count }),
      );
      assert.equal(new Set(parts.flat()).size, packs.length);
      assert.equal(parts.flat().length, packs.length);
    }
    for (const { id } of chosen({ kind: "part", part: 3, of: 7 })) {
      assert.equal(Number.parseInt(id.slice(0, 2), 16) % 7, 2);
    }
  });

  it("is as large as asked for, at least one pack, and differs from run to run", () => {
    assert.equal(chosen({ kind: "percentage", percentage: 10 }).length, 30);
    assert.equal(chosen({ kind: "percentage", percentage: 100 }).length, 300);
    assert.equal(chosen({ kind: "percentage", percentage: 0.001 }).length, 1);
    assert.equal(chosen({ kind: "size", sizeBytes: 50_000 }).length, 50);
    assert.equal(chosen({ kind: "size", sizeBytes: 1e12 }).length, 300);
    assert.equal(chosen({ kind: "size", sizeBytes: 1 }).length, 1);
    const first = chosen({ kind: "percentage", percentage: 10 }, 1);
    assert.notDeepEqual(chosen({ kind: "percentage", percentage: 10 }, 2), first);
    assert.equal(new Set(first).size, 30);
    const none = selectPacks([], { kind: "percentage", percentage: 50 }, new SeededRandom(1));
    assert.deepEqual(none, []);
    assert.deepEqual(chosen({ kind: "none" }), []);
    assert.deepEqual(chosen({ kind: "all" }), packs);
  });

  it("gives each pack the same chance", () => {
    const counts = new Map<string, number>();
    const runs = 2000;
    for (let seed = 0; seed < runs; seed++) {
      for (const { id } of selectPacks(
        packs.slice(0, 10),
        { kind: "percentage", percentage: 30 },
        new SeededRandom(seed),
      )) {
        counts.set(id, (counts.get(id) ?? 0) + 1);
      }
    }
    // Expected 600 of 2000 each; 6 standard deviations are 123.
    for (const count of counts.values()) assert.ok(Math.abs(count - 600) < 123, `${count}`);
    assert.equal(counts.size, 10);
  });

  it("never crashes on any text", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseReadDataSubset(text);
        } catch (error) {
          assert.equal((error as { code?: string }).code, "option.invalid");
        }
      }),
    );
  });
});
