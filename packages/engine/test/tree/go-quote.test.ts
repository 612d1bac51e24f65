import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { goQuote, goUnquote } from "../../src/tree/go-quote.ts";
import { jsonInner, jsonInnerFromBytes } from "../../src/tree/go-json.ts";

const byteStrings = fc
  .uint8Array({ maxLength: 60 })
  .map((bytes) => Buffer.from(bytes).toString("latin1"));

const QUOTED: readonly (readonly [bytes: string, quoted: string])[] = [
  ["plain", "plain"],
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["'", "'"],
  ["\x07\b\f\n\r\t\v", "\\a\\b\\f\\n\\r\\t\\v"],
  ["\x00\x01\x1f\x7f", "\\x00\\x01\\x1f\\x7f"],
  ["\xff", "\\xff"],
  ["\xc3\xa4", "ä"],
  ["\xc2\xa0", "\\u00a0"],
  ["\xc2\xad", "\\u00ad"],
  ["\xe2\x80\xa8", "\\u2028"],
  ["\xef\xbf\xbd", "\ufffd"],
  ["\xf0\x9f\x98\x80", "😀"],
  ["\xf4\x8f\xbf\xbf", "\\U0010ffff"],
  // Overlong, a surrogate, beyond the end, cut off: each byte for itself.
  ["\xc0\x80", "\\xc0\\x80"],
  ["\xed\xa0\x80", "\\xed\\xa0\\x80"],
  ["\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"],
  ["\xe2\x82", "\\xe2\\x82"],
];

test("names are quoted as Go quotes them, and read back", () => {
  for (const [bytes, quoted] of QUOTED) {
    assert.equal(goQuote(bytes), quoted);
    assert.equal(goUnquote(quoted), bytes);
  }
});

test("other spellings that Go reads, which it never writes", () => {
  assert.equal(goUnquote("\\101\\377\\x41"), "A\xffA");
  assert.equal(goUnquote("\\u00e4"), "\xc3\xa4");
  assert.equal(goUnquote("\\U0001f600"), "\xf0\x9f\x98\x80");
  assert.equal(goUnquote("\x01"), "\x01");
});

test("quotings that Go refuses", () => {
  const bad = ['"', "a\nb", "\\", "\\q", "\\'", "\\x4", "\\xgg", "\\u12", "\\ud800", "\\U00110000"];
  for (const quoted of [...bad, "\\400", "\\18", "\\U0001f60"]) {
    assert.equal(goUnquote(quoted), undefined, quoted);
  }
});

test("any bytes survive quoting", () => {
  fc.assert(fc.property(byteStrings, (bytes) => goUnquote(goQuote(bytes)) === bytes));
});

test("JSON text is what any parser reads back", () => {
  const text = fc.string({ unit: "binary", maxLength: 60 });
  fc.assert(fc.property(text, (value) => JSON.parse(`"${jsonInner(value)}"`) === value));
});

test("JSON text of bytes that are UTF-8 is that of their text", () => {
  const text = fc.string({ unit: "binary", maxLength: 60 });
  fc.assert(
    fc.property(text, (value) => {
      const bytes = Buffer.from(value, "utf8").toString("latin1");
      return jsonInnerFromBytes(bytes) === jsonInner(value);
    }),
  );
});

test("JSON escapes are Go's", () => {
  assert.equal(jsonInner("<>&\u2028\u2029"), "\\u003c\\u003e\\u0026\\u2028\\u2029");
  assert.equal(jsonInner("\b\f\n\r\t\u0000\u001f\u007f"), "\\b\\f\\n\\r\\t\\u0000\\u001f\u007f");
  assert.equal(jsonInnerFromBytes("a\xffb\xe2\x82"), "a\\ufffdb\\ufffd\\ufffd");
  assert.equal(jsonInner("\ud800"), "\ufffd");
});
