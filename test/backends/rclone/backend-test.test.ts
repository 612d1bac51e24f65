import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { rcloneBackendFactory } from "@comeback/backend-rclone";
import { isComebackError } from "@comeback/core";
import { assertBackendTestPasses } from "../../drivers/backend-test-report.ts";
import { makeFolder, scratchFolder } from "../../drivers/scratch.ts";
import { makeRcloneConfig } from "../../services/rclone/rclone-config.ts";

const scratch = scratchFolder("rclone-backend-test");

test("a remote of rclone's is good for backups, and nothing of the test stays there", async () => {
  const { env, root: folder } = makeRcloneConfig(scratch);
  await assertBackendTestPasses({ location: "rclone:whole:", env, folder });
});

test("only empty folders are removed, and a failure says what is left", async () => {
  const { env: own, root } = makeRcloneConfig(makeFolder(scratch, "kept"));
  const options = { env: { ...process.env, ...own } };
  const remove = (location: string, settings?: ReadonlyMap<string, string>): Promise<void> =>
    rcloneBackendFactory.removeEmpty!(location, { ...options, ...(settings && { settings }) });
  const kept = makeFolder(root, "repository", "data", "ab");
  makeFolder(root, "repository", "keys");
  writeFileSync(join(kept, "foreign"), "not ours");
  await remove("rclone:disk:repository");
  const left = readdirSync(join(root, "repository"), { recursive: true }).map(String).toSorted();
  assert.deepEqual(left, ["data", "data/ab", "data/ab/foreign"]);
  await remove("rclone:disk:not/there");
  await assert.rejects(
    remove("rclone:nobody:x"),
    (error) => isComebackError(error, "backend.io") && /section/.test(error.why ?? ""),
  );
  await assert.rejects(remove("rclone:disk:x", new Map([["program", "/no/rclone"]])), (error) =>
    isComebackError(error, "backend.program-missing"),
  );
});
