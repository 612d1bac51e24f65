import assert from "node:assert/strict";
import { test } from "node:test";
import { FILE_TYPES } from "@comeback/core";
import type { FileType, RepositoryFile } from "@comeback/core";
import { listAll, newData, rejectsWith } from "./fixture.ts";
import type { MakeBackend } from "./fixture.ts";

const GOOD = "0123456789abcdef".repeat(4);

const HOSTILE_NAMES: readonly string[] = [
  "",
  ".",
  "..",
  "../config",
  "config",
  `${GOOD}/`,
  `../${GOOD.slice(3)}`,
  `/${GOOD.slice(1)}`,
  GOOD.slice(1),
  `${GOOD}0`,
  `${GOOD}\n`,
  `${GOOD.slice(1)}\0`,
  GOOD.toUpperCase(),
  `g${GOOD.slice(1)}`,
  `${GOOD.slice(1)}é`,
];

const HOSTILE_FILES: readonly RepositoryFile[] = [
  ...HOSTILE_NAMES.map((name) => ({ type: "pack", name }) as const),
  { type: "key", name: `${GOOD}/../../config` },
  { type: "config", name: GOOD },
  { type: "config", name: ".." },
  ...["", "data", "constructor", "__proto__", "../pack"].map((type) => ({
    type: type as FileType,
    name: GOOD,
  })),
];

/** Names: only those of a repository, refused before any I/O. */
export function testNames(make: MakeBackend): void {
  test("hostile names are refused by every method", async () => {
    await using fixture = await make();
    const { backend } = fixture;
    for (const file of HOSTILE_FILES) {
      await rejectsWith(backend.save(file, newData(10)), "option.invalid");
      await rejectsWith(backend.load(file), "option.invalid");
      await rejectsWith(backend.stat(file), "option.invalid");
      await rejectsWith(backend.remove(file), "option.invalid");
    }
    for (const type of ["", "data", "__proto__", "../keys"]) {
      await rejectsWith(listAll(backend, type as FileType), "option.invalid");
    }
    for (const type of FILE_TYPES) assert.deepEqual(await listAll(backend, type), []);
  });

  test("location, connections and lag are sensible", async () => {
    await using fixture = await make();
    assert.ok(fixture.backend.location.length > 0);
    assert.ok(Number.isInteger(fixture.backend.connections));
    assert.ok(fixture.backend.connections >= 1);
    assert.ok(fixture.backend.listLagMs >= 0);
  });
}
