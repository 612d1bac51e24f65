import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { tryLockFile } from "@comeback/platform";
import { ProcessLock } from "../src/process-lock.ts";

const folder = mkdtempSync(join(tmpdir(), "comeback-process-lock-"));
after(() => rmSync(folder, { recursive: true }));
const busy = (holder: number | undefined): Error => new Error(`held by ${holder}`);

test("one process holds it, and is named to the others; then the next one does", async () => {
  const path = join(folder, "deep", "one.lock");
  {
    await using _lock = await ProcessLock.take({ path, busy });
    assert.equal(readFileSync(path, "utf8"), `${process.pid}\n`);
    await assert.rejects(ProcessLock.take({ path, busy }), { message: `held by ${process.pid}` });
  }
  await using _next = await ProcessLock.take({ path, busy });
});

test("a lock that outlives its killed holder by an instant is waited out", async () => {
  const path = join(folder, "lingering.lock");
  writeFileSync(path, `${spawnSync("/bin/true").pid}\n`);
  const left = openSync(path, "a");
  assert.ok(tryLockFile(left));
  const taking = ProcessLock.take({ path, busy });
  // It has looked at the lock by then, and looks again.
  for (let turn = 0; turn < 20; turn++) await setImmediate();
  closeSync(left);
  await using _lock = await taking;
  assert.equal(readFileSync(path, "utf8"), `${process.pid}\n`);
});

test("who has taken it and not written its number yet is not waited for", async () => {
  const path = join(folder, "fresh.lock");
  const held = openSync(path, "a");
  assert.ok(tryLockFile(held));
  await assert.rejects(ProcessLock.take({ path, busy }), { message: "held by undefined" });
  closeSync(held);
});
