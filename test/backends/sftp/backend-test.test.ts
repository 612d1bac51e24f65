import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { sftpBackendFactory } from "@comeback/backend-sftp";
import { assertBackendTestPasses } from "../../drivers/backend-test-report.ts";
import { makeFolder } from "../../drivers/scratch.ts";
import { startPlace } from "./sftp-fixture.ts";

const place = await startPlace("sftp-backend-test");

test("OpenSSH's server is good for backups, and nothing of the test stays there", async () => {
  const folder = makeFolder(join(place.folder, "store"));
  const location = `sftp:backup:${folder}`;
  await assertBackendTestPasses({ location, env: place.user.environment, folder });
});

test("only empty folders are removed, and removing them again is no error", async () => {
  const root = join(place.folder, "kept");
  const location = `sftp:backup:${root}`;
  await using backend = await sftpBackendFactory.create(location, place.options);
  writeFileSync(join(root, "data/ab/foreign"), "not ours");
  await backend[Symbol.asyncDispose]();
  for (let times = 0; times < 2; times++) {
    await sftpBackendFactory.removeEmpty?.(location, place.options);
    const left = readdirSync(root, { recursive: true }).map(String).toSorted();
    assert.deepEqual(left, ["data", "data/ab", "data/ab/foreign"]);
  }
  await sftpBackendFactory.removeEmpty?.(`${location}/not/there`, place.options);
});
