import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { redactLocation } from "../../src/opening/redact-location.ts";

test("locations without secrets are shown as they are", () => {
  for (const location of [
    "/mnt/backup",
    "local:/mnt/a@b",
    "s3:https://s3.example.com/bucket/path",
    "s3:s3.example.com/bucket",
    "rest:https://host:8000/me/repository",
    "rest:https://host/folder@home/x",
    "sftp:me@host:/srv/backup",
    "sftp://me@host:2222//srv/backup",
    "azure:container:/path",
    "rclone:remote:path",
  ]) {
    assert.equal(redactLocation(location), location);
  }
});

test("names and passwords are not shown, whatever they consist of", () => {
  const cases = [
    ["rest:https://me:secret@host:8000/x", "rest:https://***@host:8000/x"],
    ["rest:https://secret@host/x", "rest:https://***@host/x"],
    ["rest:http://me:sec/ret@host/x", "rest:http://***@host/x"],
    ["rest:http://me:sec@ret@host/x", "rest:http://***@host/x"],
    ["sftp://me:secret@host/x", "sftp://***@host/x"],
    ["rest:https://secret@host/folder@home/x", "rest:https://***@host/folder@home/x"],
    ["s3:https://host/bucket?sig=secret", "s3:https://host/bucket?***"],
    ["rest:https://me:secret@host/x?token=secret", "rest:https://***@host/x?***"],
  ] as const;
  for (const [location, shown] of cases) assert.equal(redactLocation(location), shown);
});

test("a password of any characters does not come to light", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (one, two) => {
      const secret = `SECRET${one}SECRET${two}SECRET`;
      const shown = redactLocation(`rest:https://me:${secret}@host/path`);
      assert.ok(!shown.includes("SECRET"), shown);
      assert.ok(shown.startsWith("rest:https://***@"), shown);
    }),
  );
});
