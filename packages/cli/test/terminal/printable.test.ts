import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { byteStringFromText } from "@comeback/core";
import { printableName, printableText } from "../../src/terminal/printable.ts";

test("ordinary names are shown as they are, in every script", () => {
  for (const name of ["plain.txt", "größe", "大きさ", "🎉 party", "👩‍👧 family", "e\u0301", "a\\b"]) {
    assert.equal(printableName(byteStringFromText(name)), name);
    assert.equal(printableText(name), name);
  }
});

test("whatever could drive a terminal is made visible", () => {
  const cases = [
    ["\u001b[31mred", "\\x1b[31mred"],
    ["two\nlines\r\tand", "two\\nlines\\r\\tand"],
    ["\u009b2J", "\\x9b2J"],
    ["\u202egnp.exe", "\\u202egnp.exe"],
    ["line\u2028separator", "line\\u2028separator"],
    ["\ue000private", "\\ue000private"],
    ["\u{e0001}tag", "\\u{e0001}tag"],
    ["del\u007f", "del\\x7f"],
  ] as const;
  for (const [text, shown] of cases) {
    assert.equal(printableText(text), shown);
    assert.equal(printableName(byteStringFromText(text)), shown);
  }
});

test("bytes that are not UTF-8 are shown one by one, the rest stays readable", () => {
  assert.equal(printableName("caf\xe9"), "caf\\xe9");
  assert.equal(printableName("\xff\xfe\xc3\xa4"), "\\xff\\xfeä");
  assert.equal(printableName("cut \xe2\x82"), "cut \\xe2\\x82");
});

test("no byte sequence at all puts a control character on the terminal", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const shown = printableName(Buffer.from(bytes).toString("latin1"));
      assert.doesNotMatch(shown, /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u);
    }),
  );
});
