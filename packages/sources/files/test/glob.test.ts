import assert from "node:assert/strict";
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { BadPattern } from "@comeback/core";
import { glob } from "../src/glob.ts";
import { scratchFolder } from "./scratch-folder.ts";

test("patterns stand for the existing paths, in order", (t) => {
  const folder = scratchFolder(t, ["a/x.c", "a/.h", "b/y.c", "b/sub/z.c", "[1]/one", "c"]);
  symlinkSync("b", join(folder, "link"));
  symlinkSync("nowhere", join(folder, "dangling"));
  writeFileSync(Buffer.from(`${folder}/\xff`, "latin1"), "");
  const table: readonly (readonly [string, readonly string[]])[] = [
    ["c", ["c"]],
    ["none", []],
    ["*", ["[1]", "a", "b", "c", "dangling", "link", "\xff"]],
    ["?", ["a", "b", "c", "\xff"]],
    ["*/*.c", ["a/x.c", "b/y.c", "link/y.c"]],
    ["*/*/*.c", ["b/sub/z.c", "link/sub/z.c"]],
    ["a/*", ["a/.h", "a/x.c"]],
    ["[ab]/?.c", ["a/x.c", "b/y.c"]],
    ["\\[1\\]/*", ["[1]/one"]],
    ["[1]/*", []],
    ["dangling", ["dangling"]],
    ["dangling/*", []],
    ["none/*", []],
    ["c/*", []],
    ["a//*.c", ["a/x.c"]],
    ["[^a-l]", ["\xff"]],
  ];
  for (const [pattern, expected] of table) {
    const full = expected.map((path) => `${folder}/${path}`);
    assert.deepEqual(glob(`${folder}/${pattern}`), full, pattern);
  }
});

test("relative patterns give relative paths", (t) => {
  const folder = scratchFolder(t, ["a/x", "b"]);
  const before = process.cwd();
  t.after(() => {
    process.chdir(before);
  });
  process.chdir(folder);
  assert.deepEqual(glob("*"), ["a", "b"]);
  assert.deepEqual(glob("./*/x"), ["a/x"]);
  assert.deepEqual(glob("./a"), ["./a"]);
});

test("a pattern that breaks the rules is refused, wherever it breaks them", () => {
  for (const pattern of ["[", "/none/[a", "*/[", "a\\"]) {
    assert.throws(() => glob(pattern), BadPattern, pattern);
  }
});
