import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { parseZoneFile, TimeZone } from "../../src/tree/time-zone.ts";
import { offsetByRule, parseZoneRule } from "../../src/tree/tz-rule.ts";
import { zoneFile } from "./recorded-zones.ts";
import { daysFromCivil } from "../../src/tree/civil.ts";

/** The offset by a rule at a time of a year (UTC). */
function offsetAt(rule: string, year: number, month: number, day: number, hour = 0): number {
  const yearStart = daysFromCivil(year, 1, 1) * 86_400;
  const seconds = daysFromCivil(year, month, day) * 86_400 + hour * 3600;
  return offsetByRule(parseZoneRule(rule)!, year, yearStart, seconds).offsetSeconds;
}

test("the rules at the end of zone files", () => {
  const vienna = "CET-1CEST,M3.5.0,M10.5.0/3";
  assert.equal(offsetAt(vienna, 2060, 3, 28, 0), 3600);
  assert.equal(offsetAt(vienna, 2060, 3, 28, 1), 7200);
  assert.equal(offsetAt(vienna, 2060, 10, 31, 0), 7200);
  assert.equal(offsetAt(vienna, 2060, 10, 31, 1), 3600);
  // South of the equator summer lies around the turn of the year.
  const chatham = "<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45";
  assert.equal(offsetAt(chatham, 2050, 1, 1), 13.75 * 3600);
  assert.equal(offsetAt(chatham, 2050, 6, 1), 12.75 * 3600);
  // Clocks that go back in winter instead of forward in summer, and hours beyond a day.
  assert.equal(offsetAt("IST-1GMT0,M10.5.0,M3.5.0/1", 2050, 1, 1), 0);
  assert.equal(offsetAt("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 2050, 7, 1), -3600);
  assert.equal(offsetAt("EST5EDT,J60/0,J300/0", 2024, 3, 1, 4), -18_000);
  assert.equal(offsetAt("EST5EDT,J60/0,J300/0", 2024, 3, 1, 5), -14_400);
  assert.equal(offsetAt("EST5EDT,59/0,300/0", 2023, 3, 1, 5), -14_400);
  assert.equal(offsetAt("EST5EDT", 2024, 7, 1), -14_400);
  assert.equal(offsetAt("MSK-3", 2024, 7, 1), 10_800);
});

test("rules that make no sense are no rules", () => {
  for (const text of ["", "X", "12", "CET", "CET-1CEST,M3.5.0", "<+03-3", "CET-1CEST,M3,M10"]) {
    assert.equal(parseZoneRule(text), undefined, text);
  }
});

test("damaged zone files are refused or give some offset, but never hang or crash", () => {
  const bytes = readFileSync(zoneFile("America/St_Johns"));
  assert.equal(new TimeZone(parseZoneFile(bytes)).offsetAt(1_720_000_000), -9000);
  const change = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
  let refused = 0;
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), fc.nat(), (changes, cut) => {
      const damaged = Buffer.from(
        bytes.subarray(0, bytes.length - (cut % 3 === 0 ? cut % 999 : 0)),
      );
      for (const [at, value] of changes) if (at < damaged.length) damaged[at] = value;
      let zone: TimeZone;
      try {
        zone = new TimeZone(parseZoneFile(damaged));
      } catch {
        refused += 1;
        return;
      }
      for (const seconds of [-1e12, -3e9, 0, 1.7e9, 1e12]) {
        assert.equal(typeof zone.offsetAt(seconds), "number");
      }
    }),
  );
  assert.ok(refused > 0);
});
