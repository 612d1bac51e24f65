import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeTextFile, patternsOfFile, textLines, trimSpace } from "../../src/index.ts";

const patterns = (text: string, environment = {}): string[] =>
  patternsOfFile(Buffer.from(text), environment);

test("comments, empty lines and white space around patterns are dropped", () => {
  assert.deepEqual(patterns("# one\n\n  *.o \t\r\n!keep # not a comment\n \u00a0x\u3000\n#"), [
    "*.o",
    "!keep # not a comment",
    "x",
  ]);
  assert.equal(trimSpace("\v\f a b \x85"), "a b \x85", "a lone byte is no white space");
});

test("environment variables are replaced, dollars kept by doubling them", () => {
  const environment = { HOME: "/home/me", NAME: "größe", EMPTY: "" };
  const table: readonly (readonly [string, string])[] = [
    ["$HOME/x", "/home/me/x"],
    ["${HOME}x", "/home/mex"],
    ["$HOMEx", ""],
    ["a$$b", "a$b"],
    ["${$}HOME", "$HOME"],
    ["$NAME", "gr\xc3\xb6\xc3\x9fe"],
    ["a${EMPTY}b$UNSET", "ab"],
    ["a$", "a$"],
    ["$/x", "$/x"],
    ["a${}b", "ab"],
    ["a${b", "ab"],
    ["$1$@x", "x"],
    ["$$$HOME", "$/home/me"],
  ];
  for (const [line, expected] of table) {
    assert.deepEqual(patterns(`x${line}`, environment), [`x${expected}`], line);
  }
});

test("byte order marks and UTF-16 are understood, other bytes kept", () => {
  assert.equal(decodeTextFile(Buffer.from("\ufeffab")), "ab");
  assert.equal(decodeTextFile(Buffer.from("\ufeffä", "utf16le")), "\xc3\xa4");
  assert.equal(decodeTextFile(Buffer.from("\ufeffä", "utf16le").swap16()), "\xc3\xa4");
  assert.equal(decodeTextFile(Buffer.of(0x61, 0xff, 0xfe)), "a\xff\xfe");
});

test("lines end with a line feed, with or without a carriage return", () => {
  assert.deepEqual(textLines(""), []);
  assert.deepEqual(textLines("a\nb\r\n\nc"), ["a", "b", "", "c"]);
  assert.deepEqual(textLines("a\r\r\n"), ["a\r"]);
});
