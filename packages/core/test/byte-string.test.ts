import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { byteStringFromText, bytesOf, displayText } from "../src/index.ts";

test("text survives the way into bytes and back", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      assert.equal(displayText(byteStringFromText(text)), text);
    }),
    { seed: 1 },
  );
});

test("every byte that belongs to no character becomes one U+FFFD, as in Go", () => {
  // The results of Go's `strings.ToValidUTF8` by byte, as restic prints them.
  for (const [bytes, shown] of [
    ["cut \xc3", "cut \ufffd"],
    ["cut \xe2\x82", "cut \ufffd\ufffd"],
    ["\xf0\x9f\x98.", "\ufffd\ufffd\ufffd."],
    ["overlong \xc0\xaf", "overlong \ufffd\ufffd"],
    ["surrogate \xed\xa0\x80", "surrogate \ufffd\ufffd\ufffd"],
    ["beyond \xf4\x90\x80\x80", "beyond \ufffd\ufffd\ufffd\ufffd"],
    ["gr\xc3\xbc\xc3\x9fe \xff", "gr\u00fc\u00dfe \ufffd"],
  ] as const) {
    assert.equal(displayText(bytes), shown);
  }
});

test("whatever the bytes are, the text is as Node decodes it, apart from how often U+FFFD stands", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const value = Buffer.from(bytes).toString("latin1");
      const once = (text: string): string => text.replaceAll(/\ufffd+/g, "\ufffd");
      assert.equal(once(displayText(value)), once(bytesOf(value).toString("utf8")));
    }),
    { seed: 2, numRuns: 1000 },
  );
});
