import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findProgram } from "../src/index.ts";

test("a program is found by name or by path, where it may be run", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "comeback-programs-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "own-program"), "#!/bin/sh\n");
  writeFileSync(join(folder, "no-program"), "");
  mkdirSync(join(folder, "own-folder"));
  chmodSync(join(folder, "own-program"), 0o755);
  assert.equal(findProgram("own-program", `/nowhere:${folder}`), join(folder, "own-program"));
  assert.equal(findProgram(join(folder, "own-program"), ""), join(folder, "own-program"));
  for (const name of ["no-program", "own-folder", "not-there"]) {
    assert.equal(findProgram(name, folder), undefined);
    assert.equal(findProgram(join(folder, name), ""), undefined);
  }
  assert.equal(findProgram("own-program", ""), undefined);
});

test("the system's own folders are looked through, whatever PATH says", () => {
  assert.match(findProgram("sh", "") ?? "", /^\/.*\/sh$/);
});
