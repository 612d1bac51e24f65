import assert from "node:assert/strict";
import { test } from "node:test";
import { splitWords } from "../src/split-words.ts";

test("words as a shell splits them", () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["", []],
    ["  serve   restic ", ["serve", "restic"]],
    [`--a='x y' "b c"d`, ["--a=x y", "b cd"]],
    [String.raw`a\ b "c\"d" 'e\f'`, ["a b", 'c"d', String.raw`e\f`]],
    [`'' ""`, ["", ""]],
    ["--name=größe", ["--name=größe"]],
  ];
  for (const [text, expected] of cases) assert.deepEqual(splitWords("-o x", text), expected, text);
});

test("a quote that is not closed is refused", () => {
  for (const text of [`a "b`, `'`, `a\\`]) {
    assert.throws(() => splitWords("-o x", text), { code: "option.invalid" }, text);
  }
});
