import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isComebackError } from "@comeback/core";
import { parseSearchTimeMs } from "../../src/options/parse-search-time.ts";

function parse(text: string): string {
  return new Date(parseSearchTimeMs("--oldest", text)).toISOString();
}

describe("times of find", () => {
  it("are local, unless a zone stands behind them", () => {
    const local = new Date(2026, 0, 31, 22, 8, 41).toISOString();
    assert.equal(parse("2026-01-31 22:08:41"), local);
    assert.equal(parse("31.01.2026 22:08:41"), local);
    assert.equal(parse("2026-01-31 22:08"), new Date(2026, 0, 31, 22, 8).toISOString());
    assert.equal(parse("31.01.2026"), new Date(2026, 0, 31).toISOString());
    for (const [text, expected] of [
      ["2026-01-31 22:08:41 +0130", "2026-01-31T20:38:41.000Z"],
      ["31.01.2026 22:08:41 -0700", "2026-02-01T05:08:41.000Z"],
      ["2026-01-31 22:08:41 UTC", "2026-01-31T22:08:41.000Z"],
      ["Mon Jan 2 15:04:05 -0700 MST 2006", "2006-01-02T22:04:05.000Z"],
    ] as const) {
      assert.equal(parse(text), expected);
    }
  });

  it("are refused where they are none, with the forms that are accepted", () => {
    for (const text of [
      "",
      "yesterday",
      "2026-02-30",
      "2026-13-01",
      "2026-01-31 24:00",
      "2026-01-31T22:08:41",
      "2026-01-31 22:08 +0100",
      "2026-01-31 22:08:41 XYZ",
      "Mon Foo 2 15:04:05 -0700 MST 2006",
    ]) {
      assert.throws(
        () => parse(text),
        (error) => isComebackError(error, "option.invalid") && /2006-01-02/.test(error.next ?? ""),
        text,
      );
    }
  });
});
