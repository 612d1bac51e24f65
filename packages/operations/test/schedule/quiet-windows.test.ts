import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isComebackError } from "@comeback/core";
import { jitterOf } from "../../src/schedule/jitter.ts";
import { QuietWindows } from "../../src/schedule/quiet-windows.ts";

function open(windows: readonly string[], zone: string, at: string): string {
  const moment = new QuietWindows(windows, zone).firstOpen(Date.parse(at));
  return new Date(moment).toISOString().slice(0, 16);
}

test("what falls into a window starts at its end", () => {
  const night = ["22:00-06:00"];
  assert.equal(open(night, "UTC", "2026-01-01T21:59Z"), "2026-01-01T21:59");
  assert.equal(open(night, "UTC", "2026-01-01T22:00Z"), "2026-01-02T06:00");
  assert.equal(open(night, "UTC", "2026-01-02T05:59Z"), "2026-01-02T06:00");
  assert.equal(open(night, "UTC", "2026-01-02T06:00Z"), "2026-01-02T06:00");
});

test("a window belongs to the day on which it begins", () => {
  // January 2, 2026 is a Friday.
  const friday = ["fri 22:00-06:00"];
  assert.equal(open(friday, "UTC", "2026-01-02T05:00Z"), "2026-01-02T05:00");
  assert.equal(open(friday, "UTC", "2026-01-03T05:00Z"), "2026-01-03T06:00");
  assert.equal(open(["mon-fri 08:00-18:00"], "UTC", "2026-01-03T09:00Z"), "2026-01-03T09:00");
  assert.equal(open(["sat-mon 00:00-24:00"], "UTC", "2026-01-03T09:00Z"), "2026-01-06T00:00");
});

test("windows that follow each other are one", () => {
  const windows = ["08:00-12:00", "12:00-13:00", "12:30-14:00"];
  assert.equal(open(windows, "UTC", "2026-01-02T09:00Z"), "2026-01-02T14:00");
});

test("a window in which the clocks change is the longer for it", () => {
  // Vienna, October 25, 2026: 03:00 becomes 02:00 at 01:00 UTC; 02:30 is shown twice.
  assert.equal(open(["01:00-02:30"], "Europe/Vienna", "2026-10-25T00:00Z"), "2026-10-25T01:30");
  // March 29: 02:00 becomes 03:00 at 01:00 UTC; a window until 02:30 ends at the gap.
  assert.equal(open(["01:00-02:30"], "Europe/Vienna", "2026-03-29T00:30Z"), "2026-03-29T01:00");
});

test("bad windows are refused", () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [["08:00-08:00"], /begins and ends at the same time/],
    [["08:00-24:30"], /no such time/],
    [["25:00-26:00"], /no such time/],
    [["funday 08:00-09:00"], /"funday"/],
    [["now"], /not a window/],
    [["00:00-12:00", "12:00-24:00"], /leave no moment/],
    [["mon-sun 06:00-06:01", "00:00-24:00"], /leave no moment/],
  ];
  for (const [windows, why] of cases) {
    assert.throws(
      () => new QuietWindows(windows, "UTC"),
      (error: unknown) => isComebackError(error, "schedule.invalid") && why.test(error.why ?? ""),
      windows.join(", "),
    );
  }
});

test("later moments never start before earlier ones", () => {
  const windows = new QuietWindows(["22:00-06:00", "sat 10:00-19:30"], "America/Santiago");
  const at = fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2027, 0, 1) });
  fc.assert(
    fc.property(at, fc.integer({ min: 0, max: 86_400_000 }), (from, by) => {
      const first = windows.firstOpen(from);
      assert.ok(first >= from && first <= windows.firstOpen(from + by));
      assert.equal(windows.firstOpen(first), first);
    }),
    { seed: 1 },
  );
});

test("jitter is the same for one moment, spread over its span, and never reaches the next", () => {
  const request = { key: "shop", momentMs: 1_000_000, jitterMs: 60_000, nextMs: 2_000_000 };
  assert.equal(jitterOf(request), jitterOf(request));
  const all = Array.from({ length: 200 }, (_, i) => jitterOf({ ...request, key: `plan${i}` }));
  assert.ok(all.every((by) => by >= 0 && by <= 60_000));
  assert.ok(Math.min(...all) < 10_000 && Math.max(...all) > 50_000);
  const near = all.map((_, i) => jitterOf({ ...request, key: `plan${i}`, nextMs: 1_000_500 }));
  assert.ok(near.every((by) => by < 500) && new Set(near).size > 50);
  assert.equal(jitterOf({ ...request, jitterMs: 0 }), 0);
});
