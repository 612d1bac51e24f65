import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { OrdinalSet } from "../../src/restore/ordinal-set.ts";

test("it holds what was added and nothing else (property)", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(100_000)), fc.array(fc.nat(100_000)), (added, asked) => {
      const set = new OrdinalSet();
      for (const ordinal of added) set.add(ordinal);
      const expected = new Set(added);
      assert.equal(set.size, expected.size);
      for (const ordinal of [...added, ...asked]) {
        assert.equal(set.has(ordinal), expected.has(ordinal), String(ordinal));
      }
    }),
    { seed: 5 },
  );
});
