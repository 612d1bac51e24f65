import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRetryAfter, RETRY_AFTER_MAX_MS, retryAfterContext } from "../src/index.ts";

const NOW_MS = Date.parse("Sat, 28 Nov 2026 04:00:00 GMT");

test("a pause is seconds or a date, and never endless", () => {
  assert.equal(parseRetryAfter("120", NOW_MS), 120_000);
  assert.equal(parseRetryAfter(" 7 ", NOW_MS), 7_000);
  assert.equal(parseRetryAfter("Sat, 28 Nov 2026 04:00:30 GMT", NOW_MS), 30_000);
  assert.equal(parseRetryAfter("Sat, 28 Nov 2026 03:00:00 GMT", NOW_MS), 0);
  assert.equal(parseRetryAfter("9999999999", NOW_MS), RETRY_AFTER_MAX_MS);
});

test("what is no pause is none", () => {
  for (const text of ["soon", "", "-5", undefined]) {
    assert.deepEqual(retryAfterContext(text, NOW_MS), {}, String(text));
  }
  assert.deepEqual(retryAfterContext("3", NOW_MS), { retryAfterMs: 3_000 });
});
