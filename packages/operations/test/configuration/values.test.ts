import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  clockTime,
  duration,
  percent,
  size,
  timeWindow,
} from "../../src/configuration/schema/values.ts";

const UNITS = [
  ["w", 604_800_000],
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
] as const;

test("a duration is the sum of its parts", () => {
  const part = fc.tuple(fc.nat({ max: 99 }), fc.constantFrom(...UNITS));
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
      const text = parts.map(([count, [unit]]) => `${count}${unit}`).join("");
      const expected = parts.reduce((sum, [count, [, unitMs]]) => sum + count * unitMs, 0);
      assert.equal(duration.parse(text), expected);
    }),
  );
});

test("what is no duration, size, share, time or window is refused", () => {
  for (const text of ["", "5", "m", "5 m", "1.5h", "-5m", "5M", "5min", "1h 30m", "99999999w"]) {
    assert.ok(!duration.safeParse(text).success, text);
  }
  for (const text of ["", "k", "1.", ".5k", "-1", "1kb", "1 G", "1e3", "99999999T", 1.5, -1]) {
    assert.ok(!size.safeParse(text).success, String(text));
  }
  for (const text of ["", "20", "%", "-1%", "1.%"]) assert.ok(!percent.safeParse(text).success);
  for (const text of ["24:00", "2:60", "02", "2:5"]) assert.ok(!clockTime.safeParse(text).success);
  for (const text of ["", "22:00", "sun 22:00", "22:00 - 23:00", "mon-xyz 1:00-2:00"]) {
    assert.ok(!timeWindow.safeParse(text).success, text);
  }
});

test("sizes are powers of 1024, in large letters or small", () => {
  assert.equal(size.parse(0), 0);
  assert.equal(size.parse("500M"), 500 * 1024 ** 2);
  assert.equal(size.parse("1.5g"), 1.5 * 1024 ** 3);
  assert.equal(size.parse("7"), 7);
  fc.assert(
    fc.property(fc.nat({ max: 4095 }), fc.constantFrom("k", "M", "g", "T"), (count, unit) => {
      const power = "kmgt".indexOf(unit.toLowerCase()) + 1;
      assert.equal(size.parse(`${count}${unit}`), count * 1024 ** power);
    }),
  );
  assert.equal(percent.parse("20%"), 0.2);
  assert.equal(clockTime.parse("02:30"), 150);
  assert.equal(timeWindow.parse("mon-fri,sun 08:00-24:00"), "mon-fri,sun 08:00-24:00");
});
