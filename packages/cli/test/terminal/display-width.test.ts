import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  cutToWidth,
  displayWidth,
  padEndTo,
  padStartTo,
  shortenMiddle,
  wrapWords,
} from "../../src/terminal/display-width.ts";

test("columns are counted as a terminal counts them", () => {
  assert.equal(displayWidth("plain"), 5);
  assert.equal(displayWidth("größe"), 5);
  assert.equal(displayWidth("e\u0301"), 1);
  assert.equal(displayWidth("大きさ"), 6);
  assert.equal(displayWidth("👩‍👧🎉"), 4);
});

test("a name that is too long loses its middle and keeps its end", () => {
  const path = "/home/somebody/projects/comeback/packages/cli/src/terminal/display-width.ts";
  assert.equal(shortenMiddle(path, 30), "/home/som…nal/display-width.ts");
  assert.equal(shortenMiddle("short", 30), "short");
  assert.equal(shortenMiddle("abc", 1), "…");
  assert.equal(shortenMiddle("abc", 0), "");
});

test("no character is cut in two, and the room is never exceeded", () => {
  const character = fc.constantFrom("a", "ä", "e\u0301", "大", "👩‍👧", "/", "🎉");
  fc.assert(
    fc.property(fc.array(character), fc.nat(30), (characters, columns) => {
      const text = characters.join("");
      const short = shortenMiddle(text, columns);
      assert.ok(displayWidth(short) <= columns);
      assert.ok(displayWidth(cutToWidth(text, columns)) <= columns);
      assert.ok(short.isWellFormed());
      if (displayWidth(text) <= columns) assert.equal(short, text);
    }),
  );
});

test("padding counts columns, not characters", () => {
  assert.equal(padEndTo("大", 4), "大  ");
  assert.equal(padStartTo("ä", 3), "  ä");
  assert.equal(padEndTo("longer", 3), "longer");
});

test("words are wrapped, none is broken", () => {
  assert.deepEqual(wrapWords("the quick brown fox", 10), ["the quick", "brown fox"]);
  assert.deepEqual(wrapWords("a incomprehensibilities b", 8), ["a", "incomprehensibilities", "b"]);
});
