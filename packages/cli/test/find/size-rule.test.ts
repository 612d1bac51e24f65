import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSizeRule } from "../../src/find/size-rule.ts";

test("sizes of find: at least, at most, exactly", () => {
  const wanted = (rule: string): number[] =>
    [0, 999, 1000, 1023, 1024, 1025, 1 << 20].filter(parseSizeRule(rule));
  assert.deepEqual(wanted("+1k"), [1024, 1025, 1 << 20]);
  assert.deepEqual(wanted("-1k"), [0, 999, 1000, 1023, 1024]);
  assert.deepEqual(wanted("1000"), [1000]);
  assert.deepEqual(wanted("1M"), [1 << 20]);
  for (const rule of ["", "+", "big", "+-1", "1.5k", "1 k"]) {
    assert.throws(() => parseSizeRule(rule), /--size cannot be/, rule);
  }
});
