import assert from "node:assert/strict";
import { test } from "node:test";
import { isComebackError } from "@comeback/core";
import { parseTrigger } from "../../src/schedule/parse-trigger.ts";
import { Timetable } from "../../src/schedule/timetable.ts";

const FROM_MS = Date.UTC(2026, 0, 1);

/** The first few moments of 2026, in UTC. */
function firstOf(text: string, count: number): string[] {
  const timetable = new Timetable(text, "UTC");
  const moments: string[] = [];
  let moment = timetable.nextAfter(FROM_MS - 1);
  while (moment !== undefined && moments.length < count) {
    moments.push(new Date(moment).toISOString().slice(0, 16).replace("T", " "));
    moment = timetable.nextAfter(moment);
  }
  return moments;
}

test("each form means what it says", () => {
  // January 1, 2026 is a Thursday.
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["hourly", ["2026-01-01 00:00", "2026-01-01 01:00", "2026-01-01 02:00"]],
    ["hourly :15", ["2026-01-01 00:15", "2026-01-01 01:15"]],
    ["hourly :30,:00", ["2026-01-01 00:00", "2026-01-01 00:30", "2026-01-01 01:00"]],
    ["daily 02:00", ["2026-01-01 02:00", "2026-01-02 02:00"]],
    ["  Daily   2:00, 14:30 ", ["2026-01-01 02:00", "2026-01-01 14:30", "2026-01-02 02:00"]],
    ["weekly sun 03:00", ["2026-01-04 03:00", "2026-01-11 03:00"]],
    ["weekly Sat,mon 03:00", ["2026-01-03 03:00", "2026-01-05 03:00", "2026-01-10 03:00"]],
    ["weekly sat-mon 03:00", ["2026-01-03 03:00", "2026-01-04 03:00", "2026-01-05 03:00"]],
    ["monthly 1 03:00", ["2026-01-01 03:00", "2026-02-01 03:00"]],
    ["monthly last 03:00", ["2026-01-31 03:00", "2026-02-28 03:00", "2026-03-31 03:00"]],
    ["monthly 31 03:00", ["2026-01-31 03:00", "2026-03-31 03:00"]],
    ["monthly 15,last 03:00", ["2026-01-15 03:00", "2026-01-31 03:00", "2026-02-15 03:00"]],
    ["yearly 1-31 03:00", ["2026-01-31 03:00", "2027-01-31 03:00"]],
    ["yearly 2-29 03:00", ["2028-02-29 03:00", "2032-02-29 03:00"]],
    ["30 2 * * *", ["2026-01-01 02:30", "2026-01-02 02:30"]],
    ["*/20 6-7 * * mon-fri", ["2026-01-01 06:00", "2026-01-01 06:20", "2026-01-01 06:40"]],
    ["0 3 L * *", ["2026-01-31 03:00", "2026-02-28 03:00"]],
    ["0 3 * * SUN#2", ["2026-01-11 03:00", "2026-02-08 03:00"]],
  ];
  for (const [text, expected] of cases) {
    assert.deepEqual(firstOf(text, expected.length), expected, text);
  }
});

test("February 29 is found over a year without it", () => {
  const timetable = new Timetable("yearly 2-29 03:00", "UTC");
  assert.equal(timetable.nextAfter(Date.UTC(2096, 2, 1)), Date.UTC(2104, 1, 29, 3));
});

test("a mistake is named, with what was found, what is accepted, and what was perhaps meant", () => {
  const cases: readonly (readonly [string, RegExp, RegExp])[] = [
    ["dayly 02:00", /begins with "dayly"/, /did you mean "daily 02:00"\?.*"monthly last 03:00"/],
    ["huorly", /"huorly"/, /did you mean "hourly"\?/],
    ["@daily", /"@daily"/, /did you mean "daily 00:00"\?/],
    ["02:00", /does not say on which days/, /did you mean "daily 02:00"\?/],
    ["sometimes", /"sometimes"/, /^write "hourly"/],
    ["", /nothing is written/, /^write "hourly"/],
    ["daily", /time of day is missing/, /did you mean "daily 02:00"\?/],
    ["daily 25:00", /"25:00" is not a time of day/, /write "daily 02:00"/],
    ["daily 02:00 14:00", /"14:00" is more than was expected/, /write/],
    ["weekly 03:00", /day is missing/, /did you mean "weekly sun 03:00"\?/],
    ["weekly sunday 03:00", /"sunday" is not one of/, /did you mean "weekly sun …"\?/],
    ["weekly snu 03:00", /"snu" is not one of/, /did you mean "weekly sun …"\?/],
    ["weekly sun", /time of day is missing/, /weekly sun 03:00/],
    ["monthly 32 03:00", /"32" is not a day of the month/, /monthly 1 03:00/],
    ["monthly first 03:00", /"first" is not a day of the month/, /monthly 1 03:00/],
    ["yearly 31-1 03:00", /"31-1" is not the month and the day/, /yearly 1-31 03:00/],
    ["yearly 2-30 03:00", /"2-30" is not the month and the day/, /yearly 1-31 03:00/],
    ["hourly 15:00", /"15:00" is not a minute/, /hourly :15/],
    ["0 3 * *", /five fields .* this has 4/, /cron line of five fields/],
    ["0 0 3 * * *", /five fields .* this has 6/, /cron line of five fields/],
    ["61 3 * * *", /minute: 61/, /cron line of five fields/],
    ["0 3 30 2 *", /no such day in any year/, /cron line of five fields/],
    ["0 ? * * *", /no fixed meaning/, /cron line of five fields/],
  ];
  for (const [text, why, next] of cases) {
    assert.throws(
      () => parseTrigger(text),
      (error: unknown) => {
        assert.ok(isComebackError(error, "schedule.invalid"), text);
        assert.match(error.message, /is no schedule/);
        assert.match(error.why ?? "", why, text);
        assert.match(error.next ?? "", next, text);
        return true;
      },
    );
  }
});
