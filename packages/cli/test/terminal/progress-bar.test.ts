import assert from "node:assert/strict";
import { test } from "node:test";
import { displayWidth } from "../../src/terminal/display-width.ts";
import { joinFitting, lineWithName, renderBar } from "../../src/terminal/progress-bar.ts";

test("the bar fills from left to right, and is full only at the end", () => {
  assert.equal(renderBar(0, 80), "[--------------------]   0%");
  assert.equal(renderBar(0.5, 80), "[=========>----------]  50%");
  assert.equal(renderBar(0.999, 80), "[==================>-]  99%");
  assert.equal(renderBar(1, 80), "[====================] 100%");
  assert.equal(renderBar(7, 20), "[========] 100%");
});

test("a bar without a known end does not pretend to know it", () => {
  assert.doesNotMatch(renderBar(undefined, 80), /%/);
});

test("parts that do not fit are left out, a name gets the room that is left", () => {
  assert.equal(joinFitting(["aaaa", "", "bbbb", "cccc"], 11), "aaaa  bbbb");
  const line = lineWithName("0:04 left", "/a/very/long/path/to/some/file.txt", 30);
  assert.equal(displayWidth(line), 30);
  assert.ok(line.endsWith("file.txt"));
  assert.equal(lineWithName("0:04 left", "name", 12), "0:04 left");
});
