import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { calendarDurationText, parseCalendarDuration } from "../../src/forget/calendar-duration.ts";

const zero = { years: 0, months: 0, days: 0, hours: 0 };

describe("a calendar duration", () => {
  it("is restic's: whole numbers of years, months, days and hours, in any order", () => {
    assert.deepEqual(parseCalendarDuration("1y5m7d2h"), { years: 1, months: 5, days: 7, hours: 2 });
    assert.deepEqual(parseCalendarDuration(" 2h14d "), { ...zero, days: 14, hours: 2 });
    assert.deepEqual(parseCalendarDuration("0d"), zero);
  });

  it("is refused where it could mean something else than it says", () => {
    for (const text of [
      "",
      " ",
      "7",
      "d",
      "1w",
      "3x",
      "-1d",
      "1.5d",
      "1d 2h",
      "1d2d",
      "1D",
      "1e3d",
    ]) {
      assert.equal(parseCalendarDuration(text), undefined, JSON.stringify(text));
    }
    assert.equal(parseCalendarDuration(`${"9".repeat(30)}d`), undefined);
  });

  it("is read again as it is written", () => {
    const numbers = fc.nat(9_999_999);
    const any = fc.tuple(numbers, numbers, numbers, numbers);
    fc.assert(
      fc.property(any, ([years, months, days, hours]) => {
        const duration = { years, months, days, hours };
        const text = calendarDurationText(duration);
        assert.deepEqual(text === "" ? zero : parseCalendarDuration(text), duration);
      }),
    );
  });
});
