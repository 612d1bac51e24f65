import assert from "node:assert/strict";
import { test } from "node:test";
import { isComebackError } from "@comeback/core";
import fc from "fast-check";
import { formatTime, isSameTime, parseTime, timeZoneFor } from "../../src/tree/index.ts";
import { recordedZone, zoneFile } from "./recorded-zones.ts";
import { civilFromDays, daysFromCivil } from "../../src/tree/civil.ts";

const ZONES = ["UTC", "Europe/Vienna", "America/St_Johns", "Asia/Kolkata", "Pacific/Apia"];

test("instants are written as RFC 3339 with as many digits as they need", () => {
  const text = (seconds: number, nanoseconds: number, zone = "UTC"): string =>
    formatTime({ seconds, nanoseconds }, recordedZone(zone));
  assert.equal(text(0, 0), "1970-01-01T00:00:00Z");
  assert.equal(text(0, 1), "1970-01-01T00:00:00.000000001Z");
  assert.equal(text(-1, 999_999_999), "1969-12-31T23:59:59.999999999Z");
  assert.equal(text(1_700_000_000, 120_000_000), "2023-11-14T22:13:20.12Z");
  assert.equal(text(1_700_000_000, 500_000_000, "Europe/Vienna"), "2023-11-14T23:13:20.5+01:00");
  assert.equal(text(1_720_000_000, 0, "Europe/Vienna"), "2024-07-03T11:46:40+02:00");
  assert.equal(text(1_720_000_000, 0, "America/St_Johns"), "2024-07-03T07:16:40-02:30");
  assert.equal(text(-62_167_219_201, 0), "0000-12-31T23:59:59Z");
  assert.equal(text(253_402_300_800, 7), "9999-01-01T00:00:00.000000007Z");
});

test("what is written is read back as the same instant, in every zone", () => {
  const seconds = fc.integer({ min: -1_500_000_000, max: 253_402_000_000 });
  const nanoseconds = fc.integer({ min: 0, max: 999_999_999 });
  const instants = fc.record({ seconds, nanoseconds }, { noNullPrototype: true });
  for (const name of ZONES) {
    if (name === "America/St_Johns") continue; // Minutes only since 1935.
    const zone = recordedZone(name);
    fc.assert(
      fc.property(instants, (instant) => {
        const text = formatTime(instant, zone);
        assert.deepEqual(parseTime(text), instant);
        assert.ok(isSameTime(text, instant));
        assert.ok(!isSameTime(text, { ...instant, seconds: instant.seconds + 1 }));
      }),
      { numRuns: 300 },
    );
  }
});

test("dates far away agree with Date wherever Date reaches", () => {
  fc.assert(
    fc.property(fc.integer({ min: -100_000_000, max: 100_000_000 }), (day) => {
      const { year, month, day: dayOfMonth } = civilFromDays(day);
      const date = new Date(day * 86_400_000);
      assert.deepEqual(
        [year, month, dayOfMonth],
        [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()],
      );
      assert.equal(daysFromCivil(year, month, dayOfMonth), day);
    }),
  );
});

test("zones agree with Node's own data in the years that both know", () => {
  const names = [...ZONES, "Australia/Lord_Howe", "America/New_York", "Europe/Dublin"];
  for (const name of [...names, "Pacific/Chatham", "Antarctica/Troll"]) {
    const zone = recordedZone(name);
    const format = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" });
    // From 1971 to 2100: behind 2037 only the rule at the file's end speaks.
    for (let seconds = 31_536_000; seconds < 4_102_444_800; seconds += 2_000_000) {
      const parts = format.formatToParts(new Date(seconds * 1000));
      const shown = parts.find(({ type }) => type === "timeZoneName")!.value;
      const [, sign, hours = "0", minutes = "0"] = /GMT([+-])?(\d\d)?:?(\d\d)?/.exec(shown)!;
      const offset = (Number(hours) * 3600 + Number(minutes) * 60) * (sign === "-" ? -1 : 1);
      assert.equal(zone.offsetAt(seconds), offset, `${name} at ${seconds}`);
    }
  }
});

test("a zone that cannot be read is UTC", () => {
  for (const name of ["", "UTC", ":", "No/Such_Zone", "/no/such/file", "/etc/passwd"]) {
    assert.equal(timeZoneFor(name).offsetAt(1_720_000_000), 0, name);
  }
  const vienna = zoneFile("Europe/Vienna");
  assert.equal(timeZoneFor(vienna).offsetAt(1_720_000_000), 7200);
  assert.equal(timeZoneFor(`:${vienna}`).offsetAt(1_720_000_000), 7200);
});

test("texts that are no times are refused as damage", () => {
  const good = "2024-02-29T23:59:59.123456789+05:30";
  assert.deepEqual(parseTime(good), { seconds: 1_709_231_399, nanoseconds: 123_456_789 });
  const bad = ["", "2024", "2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z"];
  for (const text of [
    ...bad,
    "2024-01-01T24:00:00Z",
    "2024-01-01T00:60:00Z",
    "2024-01-01 00:00:00Z",
  ]) {
    assert.throws(() => parseTime(text), isDamaged, text);
  }
  for (const text of ["2024-01-01T00:00:00", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00+0100"]) {
    assert.throws(() => parseTime(text), isDamaged, text);
  }
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.string({ minLength: 1, maxLength: 2 }), (at, piece) => {
      const text = good.slice(0, at) + piece + good.slice(at + 1);
      try {
        const { seconds, nanoseconds } = parseTime(text);
        return Number.isSafeInteger(seconds) && nanoseconds >= 0 && nanoseconds < 1e9;
      } catch (error) {
        return isDamaged(error);
      }
    }),
  );
});

function isDamaged(error: unknown): boolean {
  return isComebackError(error, "repository.damaged");
}
