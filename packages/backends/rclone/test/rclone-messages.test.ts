import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRcloneLocation } from "../src/rclone-location.ts";
import { RcloneMessages } from "../src/rclone-messages.ts";

test("a location is shown without the values of its connection string", () => {
  const shown = (location: string): string => parseRcloneLocation(location).shown;
  assert.equal(shown("rclone:drive:backup/laptop"), "rclone:drive:backup/laptop");
  assert.equal(
    shown('rclone::sftp,host=h.example,pass="a,b:""c":path'),
    "rclone::sftp,host=***,pass=***:path",
  );
  assert.equal(shown("rclone:s3,secret_access_key='x:y':b"), "rclone:s3,secret_access_key=***:b");
});

test("what rclone says is kept at its end, as its last message, without secrets", () => {
  const messages = new RcloneMessages({
    env: {
      RCLONE_CONFIG_PASS: "opensesame",
      PATH: "/usr/bin",
      RCLONE_S3_SECRET_ACCESS_KEY: "k3y!",
    },
    args: ["serve", ':webdav,bearer_token="t0k,en",url=http://h:path'],
  });
  assert.equal(messages.all, "");
  messages.add("2026/11/28 04:00:00 NOTICE: early\n");
  messages.add("2026/11/28 04:00:01 ERROR : data/ab: opensesame k3y! t0k,en\n");
  messages.add('  caused by: {"access_token":"abcdef","n":1} pass=hunter2 /usr/bin\n');
  const expected = 'data/ab: *** *** *** caused by: {"access_token":***,"n":1} pass=*** /usr/bin';
  assert.equal(messages.last?.replaceAll(/\s+/g, " "), expected);
  messages.add(`${"x".repeat(100_000)}\n`);
  assert.ok(messages.all.length <= 16 * 1024);
  assert.equal(messages.last?.length, 300);
});

test("values in rclone's own quoting are left out too", () => {
  const messages = new RcloneMessages({ env: {}, args: [] });
  messages.add('failed for ":sftp,pass=\\"a,b:c\\",host=h.example:path"');
  assert.equal(messages.last, 'failed for ":sftp,pass=***,host=***:path"');
});
