import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BadJsonArray, JsonArraySplitter } from "../src/json-array-splitter.ts";

/** Feeds a text in pieces of the given sizes, over and over. */
function split(text: string, sizes: readonly number[]): unknown[] {
  const bytes = Buffer.from(text);
  const splitter = new JsonArraySplitter();
  const entries: unknown[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const end = at + (sizes[turn % sizes.length] ?? 1);
    entries.push(...splitter.push(bytes.subarray(at, end)));
    at = end;
  }
  splitter.end();
  return entries;
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });

test("any array comes out as JSON.parse reads it, however it is cut", () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), sizes, fc.boolean(), (array, cuts, isPretty) => {
      const text = JSON.stringify(array, undefined, isPretty ? 2 : undefined);
      assert.deepEqual(split(text, cuts), JSON.parse(text));
    }),
  );
});

test("an array that is cut off is never taken for whole", () => {
  const property = fc.property(fc.array(fc.jsonValue()), fc.nat(), (array, seed) => {
    const text = JSON.stringify(array);
    assert.throws(() => split(text.slice(0, seed % text.length), [7]), BadJsonArray);
  });
  fc.assert(property);
});

test("a damaged array gives what JSON.parse gives, or an error", () => {
  fc.assert(
    fc.property(
      fc.array(fc.jsonValue()),
      fc.nat(),
      fc.string({ minLength: 1, maxLength: 1 }),
      (array, seed, character) => {
        const text = JSON.stringify(array);
        const at = seed % text.length;
        const damaged = text.slice(0, at) + character + text.slice(at + 1);
        let expected: unknown;
        try {
          expected = JSON.parse(damaged) ?? [];
        } catch {
          expected = undefined;
        }
        if (Array.isArray(expected)) assert.deepEqual(split(damaged, [5]), expected);
        else assert.throws(() => split(damaged, [5]), BadJsonArray);
      },
    ),
  );
});
