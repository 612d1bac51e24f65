import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { HEAP_FLAG } from "../../src/heap-flag.ts";

test("the daemon's runs get the heap that the launcher gives", () => {
  const launcher = readFileSync(new URL("../../bin/comeback", import.meta.url), "utf8");
  assert.equal(/^heap=(.*)$/m.exec(launcher)?.[1], HEAP_FLAG);
});
