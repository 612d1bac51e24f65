import assert from "node:assert/strict";
import { test } from "node:test";
import { isComebackError } from "@comeback/core";
import { findBackend } from "../../src/opening/find-backend.ts";

test("paths are folders, with local: before them or not", async () => {
  for (const location of [
    "/mnt/backup",
    "backup",
    "./a:b",
    "../x:y",
    "/a:b",
    "local:x",
    "local:/x",
  ]) {
    assert.equal((await findBackend(location)).location, location);
  }
});

test("other kinds of storage are refused by name, with what there is", async () => {
  const cases = [
    ["swift:container:/x", /repositories on swift are not supported yet/],
    ["sftp:me@host:/x", /repositories on sftp are not supported yet/],
    ["rest:http://host/", /repositories on rest are not supported yet/],
    ["nas:/backup", /"nas:" is no kind of storage/],
    ["host:backup", /"host:" is no kind of storage/],
  ] as const;
  for (const [location, says] of cases) {
    await assert.rejects(findBackend(location), (error: unknown) => {
      assert.ok(isComebackError(error, "option.invalid"));
      assert.match(error.message, says);
      assert.match(error.next ?? "", /supported today: a folder/);
      return true;
    });
  }
});
