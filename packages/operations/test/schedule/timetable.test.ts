import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Timetable } from "../../src/schedule/timetable.ts";

const HOUR_MS = 3_600_000;
const ZONES = [
  "UTC",
  "Europe/Vienna",
  "America/New_York",
  "Australia/Lord_Howe", // by half an hour
  "Africa/Cairo", // at midnight
  "America/Santiago", // at midnight, the day before
  "Asia/Beirut", // at midnight
  "America/Havana", // at midnight
  "Asia/Kolkata",
  "Pacific/Chatham",
  "Africa/Casablanca", // for Ramadan
];

function list(text: string, zone: string, from: string, to: string): string[] {
  const timetable = new Timetable(text, zone);
  return [...timetable.occurrences(Date.parse(from) - 1, Date.parse(to))].map((moment) =>
    new Date(moment).toISOString().slice(5, 16).replace("T", " "),
  );
}

test("a time that the clocks leave out happens once, at the first moment behind the gap", () => {
  // Vienna, March 29, 2026: 02:00 becomes 03:00, at 01:00 UTC.
  const march = ["Europe/Vienna", "2026-03-28T12:00Z", "2026-03-30T06:00Z"] as const;
  assert.deepEqual(list("daily 02:30", ...march), ["03-29 01:00", "03-30 00:30"]);
  assert.deepEqual(list("daily 02:00,02:30,02:59", ...march).slice(0, 2), [
    "03-29 01:00",
    "03-30 00:00",
  ]);
  // One that happens right behind the gap anyway does not happen twice.
  assert.deepEqual(list("daily 02:30,03:00", ...march).slice(0, 2), ["03-29 01:00", "03-30 00:30"]);
  assert.deepEqual(list("*/15 2 * * *", ...march).slice(0, 2), ["03-29 01:00", "03-30 00:00"]);
});

test("a time that the clocks show twice happens once, at the first", () => {
  // Vienna, October 25, 2026: 03:00 becomes 02:00, at 01:00 UTC.
  const october = ["Europe/Vienna", "2026-10-25T00:00Z", "2026-10-26T02:00Z"] as const;
  assert.deepEqual(list("daily 02:30", ...october), ["10-25 00:30", "10-26 01:30"]);
  assert.deepEqual(list("0,30 2 * * *", ...october), [
    "10-25 00:00",
    "10-25 00:30",
    "10-26 01:00",
    "10-26 01:30",
  ]);
});

test("every hour is every hour that passes", () => {
  const march = list("hourly :15", "Europe/Vienna", "2026-03-29T00:00Z", "2026-03-29T03:00Z");
  assert.deepEqual(march, ["03-29 00:15", "03-29 01:15", "03-29 02:15"]);
  const october = list("15 * * * *", "Europe/Vienna", "2026-10-25T00:00Z", "2026-10-25T03:00Z");
  assert.deepEqual(october, ["10-25 00:15", "10-25 01:15", "10-25 02:15"]);
});

test("half an hour on Lord Howe Island", () => {
  // October 4, 2026: 02:00 becomes 02:30, at 15:30 UTC the day before.
  const spring = ["Australia/Lord_Howe", "2026-10-03T14:00Z", "2026-10-03T17:00Z"] as const;
  assert.deepEqual(list("daily 02:15", ...spring), ["10-03 15:30"]);
  assert.deepEqual(list("hourly :15", ...spring), ["10-03 14:45", "10-03 15:45", "10-03 16:15"]);
  // April 5, 2026: 02:00 becomes 01:30, at 15:00 UTC the day before.
  const autumn = ["Australia/Lord_Howe", "2026-04-04T14:00Z", "2026-04-04T17:00Z"] as const;
  assert.deepEqual(list("daily 01:45", ...autumn), ["04-04 14:45"]);
});

test("clocks that change at midnight", () => {
  // Cairo, April 24, 2026 (a Friday): 00:00 becomes 01:00, at 22:00 UTC the day before.
  const cairo = ["Africa/Cairo", "2026-04-23T12:00Z", "2026-04-24T12:00Z"] as const;
  assert.deepEqual(list("daily 00:30", ...cairo), ["04-23 22:00"]);
  assert.deepEqual(list("weekly fri 00:00", ...cairo), ["04-23 22:00"]);
  // October 30, 2026: midnight becomes 23:00, at 21:00 UTC.
  const october = ["Africa/Cairo", "2026-10-29T19:00Z", "2026-10-29T23:59Z"] as const;
  assert.deepEqual(list("daily 23:30", ...october), ["10-29 20:30"]);
  assert.deepEqual(list("daily 00:00", ...october), ["10-29 22:00"]);
});

test("a day that a country left out", () => {
  // Samoa had no December 30 in 2011.
  const samoa = ["Pacific/Apia", "2011-12-29T11:00Z", "2012-01-01T00:00Z"] as const;
  assert.deepEqual(list("daily 02:00", ...samoa), [
    "12-29 12:00",
    "12-30 10:00",
    "12-30 12:00",
    "12-31 12:00",
  ]);
});

const zone = fc.constantFrom(...ZONES);
const time = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
  .map((parts) => parts.map((part) => String(part).padStart(2, "0")).join(":"));

test("daily is once a day of the calendar, all year, in every zone", () => {
  fc.assert(
    fc.property(zone, time, fc.integer({ min: 2020, max: 2035 }), (zone, time, year) => {
      const timetable = new Timetable(`daily ${time}`, zone);
      const from = Date.UTC(year, 0, 1);
      const moments = [...timetable.occurrences(from, Date.UTC(year + 1, 0, 1))];
      const days = moments.map((moment) =>
        Temporal.Instant.fromEpochMilliseconds(moment)
          .toZonedDateTimeISO(zone)
          .toPlainDate()
          .toString(),
      );
      assert.equal(new Set(days).size, days.length, "none twice on one day");
      for (const [index, moment] of moments.slice(1).entries()) {
        const gapHours = (moment - moments[index]!) / HOUR_MS;
        assert.ok(gapHours >= 22.9 && gapHours <= 25.1, `${gapHours} h before ${days[index + 1]}`);
      }
    }),
    { numRuns: 40 },
  );
});

test("hourly never leaves more than an hour, in every zone", () => {
  fc.assert(
    fc.property(zone, fc.integer({ min: 0, max: 59 }), (zone, minute) => {
      const timetable = new Timetable(`hourly :${String(minute).padStart(2, "0")}`, zone);
      const moments = [...timetable.occurrences(Date.UTC(2026, 0, 1), Date.UTC(2027, 0, 1))];
      assert.ok(moments.length >= 8760);
      for (const [index, moment] of moments.slice(1).entries()) {
        const gap = moment - moments[index]!;
        assert.ok(gap > 0 && gap <= HOUR_MS, `${gap} ms before ${new Date(moment).toISOString()}`);
      }
    }),
    { numRuns: 8 },
  );
});

test("the next moment does not depend on where one looks from", () => {
  const triggers = [
    "daily 00:30,02:30,23:45",
    "weekly fri,sun 00:00",
    "*/30 1-3 * * *",
    "hourly :10",
  ];
  const at = fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2027, 0, 1) });
  fc.assert(
    fc.property(zone, fc.constantFrom(...triggers), at, (zone, text, from) => {
      const next = new Timetable(text, zone).nextAfter(from)!;
      const all = [...new Timetable(text, zone).occurrences(from - 8 * 24 * HOUR_MS, next)];
      assert.equal(all.at(-1), next);
      assert.ok((all.at(-2) ?? -Infinity) <= from);
    }),
    { numRuns: 100 },
  );
});
