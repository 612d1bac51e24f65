import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { tryLockFile, unlockFile } from "@comeback/platform";

const folder = mkdtempSync(join(tmpdir(), "comeback-lock-"));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, "lock");

test("one open file holds the lock, until it lets go or is closed", () => {
  const [one, other] = [openSync(path, "a"), openSync(path, "a")];
  assert.ok(tryLockFile(one));
  assert.ok(tryLockFile(one), "it may be asked for again");
  assert.ok(!tryLockFile(other));
  unlockFile(one);
  assert.ok(tryLockFile(other));
  assert.ok(!tryLockFile(one, { shared: true }));
  closeSync(other);
  assert.ok(tryLockFile(one, { shared: true }));
  closeSync(one);
});

test("those who share it keep out only who wants it alone", () => {
  const [one, other, alone] = [openSync(path, "a"), openSync(path, "r"), openSync(path, "a")];
  assert.ok(tryLockFile(one, { shared: true }));
  assert.ok(tryLockFile(other, { shared: true }));
  assert.ok(!tryLockFile(alone));
  for (const fd of [one, other, alone]) closeSync(fd);
});

test("the lock of a process that is killed is free", async () => {
  const script = `
    const { openSync } = require("node:fs");
    import("@comeback/platform").then(({ tryLockFile }) => {
      console.log(tryLockFile(openSync(process.argv[1], "a")));
      setInterval(() => {}, 60_000);
    });`;
  const holder = spawn(process.execPath, ["-e", script, path], { cwd: import.meta.dirname });
  assert.equal(String((await once(holder.stdout, "data"))[0]).trim(), "true");
  const fd = openSync(path, "a");
  assert.ok(!tryLockFile(fd));
  const ended = once(holder, "exit");
  holder.kill("SIGKILL");
  await ended;
  assert.ok(tryLockFile(fd));
  closeSync(fd);
});
