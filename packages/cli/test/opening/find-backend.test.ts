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

test("a server's folder is reached by SFTP", async () => {
  for (const location of ["sftp:me@host:/x", "sftp:host:x", "sftp://me@host:2222//x"]) {
    const place = await findBackend(location);
    assert.equal(place.location, location);
    assert.equal(place.factory.scheme, "sftp");
  }
});

test("other kinds of storage are refused by name, with what there is", async () => {
  const cases = [
    ["b2:bucket:/x", /repositories on b2 are not supported yet/],
    ["swift:container:/x", /repositories on swift are not supported yet/],
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

test("REST servers and rclone's remotes are reached by their names", async () => {
  for (const [location, scheme] of [
    ["rest:https://host/path/", "rest"],
    ["rest:http+unix:///run/rest.socket:/path/", "rest"],
    ["rclone:remote:path", "rclone"],
  ] as const) {
    const place = await findBackend(location);
    assert.equal(place.location, location);
    assert.equal(place.factory.scheme, scheme);
  }
});
