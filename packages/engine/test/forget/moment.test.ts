import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { civilTime, isoWeek, momentBefore, parseMoment } from "../../src/forget/moment.ts";
import { formatTime } from "../../src/tree/time-text.ts";
import { timeZoneFor } from "../../src/tree/time-zone.ts";

const UTC = timeZoneFor("UTC");
const BERLIN = timeZoneFor("Europe/Berlin");
const duration = (years: number, months: number, days: number, hours = 0) => ({
  years,
  months,
  days,
  hours,
});

/** The moment before, as clocks in Berlin show it. */
function beforeInBerlin(text: string, ...parts: Parameters<typeof duration>): string {
  return formatTime(momentBefore(parseMoment(text, BERLIN), duration(...parts)), BERLIN);
}

describe("a moment", () => {
  it("has the calendar of the zone that it was written in", () => {
    const local = civilTime(parseMoment("2026-01-01T00:30:00.5+05:45", UTC));
    assert.deepEqual([local.year, local.month, local.day, local.hour], [2026, 1, 1, 0]);
    const west = civilTime(parseMoment("2025-12-31T23:59:59-03:30", UTC));
    assert.deepEqual([west.year, west.month, west.day, west.hour], [2025, 12, 31, 23]);
    const zulu = civilTime(parseMoment("2026-03-29T01:30:00Z", BERLIN));
    assert.equal(zulu.hour, 1);
  });

  it("moves back by the calendar, as Go's AddDate does", () => {
    // A shorter month runs over into the next.
    assert.equal(beforeInBerlin("2026-03-31T12:00:00Z", 0, 1, 0), "2026-03-03T13:00:00+01:00");
    assert.equal(beforeInBerlin("2024-02-29T12:00:00Z", 1, 0, 0), "2023-03-01T13:00:00+01:00");
    assert.equal(beforeInBerlin("2026-01-15T12:00:00Z", 2, 25, 400), "2020-11-10T13:00:00+01:00");
  });

  it("keeps the time of day across the change of clocks where it was written in the local zone", () => {
    assert.equal(beforeInBerlin("2026-07-01T12:00:00+02:00", 0, 6, 0), "2026-01-01T12:00:00+01:00");
    // In a zone that is only an offset there is no change: another instant.
    assert.equal(beforeInBerlin("2026-07-01T11:00:00+01:00", 0, 6, 0), "2026-01-01T11:00:00+01:00");
    assert.equal(beforeInBerlin("2026-07-01T10:00:00Z", 0, 6, 0), "2026-01-01T11:00:00+01:00");
    // Hours are hours.
    assert.equal(
      beforeInBerlin("2026-03-29T12:00:00+02:00", 0, 0, 0, 12),
      "2026-03-28T23:00:00+01:00",
    );
    // 02:30 did not exist that night: Go takes the offset from before the change.
    assert.equal(beforeInBerlin("2026-03-30T02:30:00+02:00", 0, 0, 1), "2026-03-29T03:30:00+02:00");
  });

  it("belongs to the ISO week of its Thursday", () => {
    const weekOf = (text: string): string => {
      const { year, week } = isoWeek(civilTime(parseMoment(`${text}T12:00:00Z`, UTC)).dayNumber);
      return `${year}-${week}`;
    };
    // ISO 8601's own examples, and the ends of long and short years.
    assert.equal(weekOf("2005-01-01"), "2004-53");
    assert.equal(weekOf("2005-01-02"), "2004-53");
    assert.equal(weekOf("2005-12-31"), "2005-52");
    assert.equal(weekOf("2007-01-01"), "2007-1");
    assert.equal(weekOf("2008-12-29"), "2009-1");
    assert.equal(weekOf("2010-01-03"), "2009-53");
    assert.equal(weekOf("1969-12-31"), "1970-1");
    assert.equal(weekOf("2026-12-31"), "2026-53");
  });

  it("has weeks of seven days that begin on Monday, whatever the year", () => {
    fc.assert(
      fc.property(fc.integer({ min: -200_000, max: 2_000_000 }), (day) => {
        const same = JSON.stringify(isoWeek(day)) === JSON.stringify(isoWeek(day + 1));
        // 1970-01-05 was a Monday.
        assert.equal(same, (((day + 1 - 4) % 7) + 7) % 7 !== 0, `day ${day}`);
      }),
    );
  });
});
