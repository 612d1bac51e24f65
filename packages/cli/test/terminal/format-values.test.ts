import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatBytes,
  formatClock,
  formatCount,
  formatDuration,
  formatLocalTime,
  formatMany,
  formatPercent,
  formatRate,
} from "../../src/terminal/format-values.ts";

test("bytes keep three digits that count", () => {
  const cases = [
    [0, "0 B"],
    [999, "999 B"],
    [1023, "1023 B"],
    [1024, "1.00 KiB"],
    [10_239, "10.0 KiB"],
    [512 * 1024, "512 KiB"],
    [1023.9 * 1024, "1.00 MiB"],
    [24.5 * 1024 ** 2, "24.5 MiB"],
    [1.17 * 1024 ** 3, "1.17 GiB"],
    [5 * 1024 ** 4, "5.00 TiB"],
    [-1, "0 B"],
  ] as const;
  for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text);
});

test("counts have separated thousands and the right number", () => {
  assert.equal(formatCount(78_579), "78,579");
  assert.equal(formatCount(1_000_000), "1,000,000");
  assert.equal(formatCount(999), "999");
  assert.equal(formatMany(1, "file"), "1 file");
  assert.equal(formatMany(0, "file"), "0 files");
  assert.equal(formatMany(2, "entry", "entries"), "2 entries");
});

test("times are short where they are short", () => {
  assert.equal(formatClock(7_900), "0:07");
  assert.equal(formatClock(754_000), "12:34");
  assert.equal(formatClock(3_723_000), "1:02:03");
  assert.equal(formatDuration(420), "0.42 s");
  assert.equal(formatDuration(5_240), "5.2 s");
  assert.equal(formatDuration(73_400), "73 s");
  assert.equal(formatDuration(754_000), "12:34 min");
  assert.equal(formatDuration(3_723_000), "1:02:03 h");
});

test("a hundred per cent means done", () => {
  assert.equal(formatPercent(0), "0%");
  assert.equal(formatPercent(0.9999), "99%");
  assert.equal(formatPercent(1), "100%");
});

test("rates do not divide by zero", () => {
  assert.equal(formatRate(1024, 0), "0 B/s");
  assert.equal(formatRate(1024 ** 2, 500), "2.00 MiB/s");
});

test("times of snapshots are shown in the local zone", () => {
  const local = new Date(2026, 10, 21, 0, 48, 57);
  assert.equal(formatLocalTime(local.toISOString()), "2026-11-21 00:48:57");
  assert.equal(formatLocalTime("not a time"), "not a time");
});
