import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { lockFile } from "../src/file-lock.ts";

const PROGRAM = `
  import { lockFile } from ${JSON.stringify(join(import.meta.dirname, "../src/file-lock.ts"))};
  const lock = lockFile(process.argv[1]);
  process.stdout.write("heldBy" in lock ? "held by " + lock.heldBy : "locked");
  process.kill(process.pid, "SIGKILL");`;

/** What a process of its own says of the lock, which then dies without giving it back. */
function inAnotherProcess(path: string): string {
  const args = ["--input-type=module", "-e", PROGRAM, path];
  return spawnSync(process.execPath, args, { encoding: "utf8" }).stdout;
}

test("one process holds a lock, and its death gives it back", () => {
  const folder = mkdtempSync(join(tmpdir(), "comeback-lock-"));
  const path = join(folder, "daemon.lock");
  try {
    {
      using lock = lockFile(path) as Disposable;
      assert.ok(Symbol.dispose in lock);
      assert.equal(inAnotherProcess(path), `held by ${process.pid}`);
      assert.deepEqual(lockFile(path), { heldBy: String(process.pid) });
    }
    assert.equal(inAnotherProcess(path), "locked");
    assert.ok(!("heldBy" in lockFile(path)));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
