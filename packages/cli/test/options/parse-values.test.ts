import assert from "node:assert/strict";
import { test } from "node:test";
import { isComebackError } from "@comeback/core";
import {
  parseChoice,
  parseDurationMs,
  parseGroupBy,
  parseInteger,
  parseLongDurationMs,
  parseSizeBytes,
  parseTagLists,
  parseTimeMs,
} from "../../src/options/parse-values.ts";

function refused(work: () => unknown, accepted: RegExp): void {
  assert.throws(work, (error: unknown) => {
    assert.ok(isComebackError(error, "option.invalid"));
    assert.match(error.message, /^--x cannot be /);
    assert.match(error.next ?? "", accepted);
    return true;
  });
}

test("sizes take restic's suffixes", () => {
  assert.equal(parseSizeBytes("--x", "0"), 0);
  assert.equal(parseSizeBytes("--x", "100"), 100);
  assert.equal(parseSizeBytes("--x", "2k"), 2048);
  assert.equal(parseSizeBytes("--x", "5M"), 5 * 1024 ** 2);
  assert.equal(parseSizeBytes("--x", "1T"), 1024 ** 4);
  for (const text of ["", "x", "1.5M", "-1", "5X", "k", "99999999T"]) {
    refused(() => parseSizeBytes("--x", text), /500M/);
  }
});

test("durations are Go's", () => {
  assert.equal(parseDurationMs("--x", "5m"), 300_000);
  assert.equal(parseDurationMs("--x", "1h30m"), 5_400_000);
  assert.equal(parseDurationMs("--x", "1.5s"), 1_500);
  assert.equal(parseDurationMs("--x", "250ms"), 250);
  assert.equal(parseDurationMs("--x", "0"), 0);
  for (const text of ["", "5", "m", "5x", "1h 30m", "-5m"]) {
    refused(() => parseDurationMs("--x", text), /1h30m/);
  }
});

test("whole numbers stay within their bounds", () => {
  assert.equal(parseInteger("--x", "4", { min: 4, max: 128 }), 4);
  for (const text of ["3", "129", "", "1e2", "4.5"]) {
    refused(() => parseInteger("--x", text, { min: 4, max: 128 }), /4 to 128/);
  }
  refused(() => parseInteger("--x", "0", { min: 1 }), /1 or more/);
});

test("a long time is hours, days or weeks, and nothing else", () => {
  const hour = 3_600_000;
  assert.equal(parseLongDurationMs("--x", "36h"), 36 * hour);
  assert.equal(parseLongDurationMs("--x", "30d"), 720 * hour);
  assert.equal(parseLongDurationMs("--x", "4w"), 672 * hour);
  for (const text of ["", "30", "d", "0d", "-1d", "1.5d", "30 d", "30days", "1m", "1y", "9999d"]) {
    refused(() => parseLongDurationMs("--x", text), /36h, 30d or 4w/);
  }
});

test("a time is a local time that exists", () => {
  const expected = new Date(2012, 10, 1, 22, 8, 41).getTime();
  assert.equal(parseTimeMs("--x", "2012-11-01 22:08:41"), expected);
  for (const text of ["", "now", "2012-11-01", "2012-02-31 00:00:00", "2012-01-01 24:00:00"]) {
    refused(() => parseTimeMs("--x", text), /2012-11-01 22:08:41/);
  }
});

test("words, tags and groups", () => {
  assert.equal(parseChoice("--x", "off", ["auto", "off"]), "off");
  refused(() => parseChoice("--x", "on", ["auto", "off"]), /auto, off/);
  assert.deepEqual(parseTagLists(["a,b", "c"]), [["a", "b"], ["c"]]);
  assert.deepEqual(parseTagLists([""]), [[""]]);
  assert.deepEqual(parseGroupBy("--x", "host,paths"), { host: true, paths: true, tags: false });
  assert.deepEqual(parseGroupBy("--x", ""), { host: false, paths: false, tags: false });
  assert.deepEqual(parseGroupBy("--x", "tag,path"), { host: false, paths: true, tags: true });
  refused(() => parseGroupBy("--x", "host,size"), /host, paths and tags/);
});
