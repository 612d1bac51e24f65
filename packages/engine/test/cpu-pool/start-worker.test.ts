import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { CpuPool } from "../../src/cpu-pool/cpu-pool.ts";
import type { WorkerSetup } from "../../src/cpu-pool/protocol.ts";
import { startWorkersEarly } from "../../src/cpu-pool/start-worker.ts";

const SETUP: WorkerSetup = {
  key: { encrypt: new Uint8Array(32), macK: new Uint8Array(16), macR: new Uint8Array(16) },
  version: 2,
  compression: "auto",
  verifyBlobs: true,
  packSizeBytes: 16 * 1024 * 1024,
  chunkerPolynomial: 0x3da3358b4dc173n,
};

const SESSION = {
  number: 1,
  rootFd: -1,
  identity: { uid: 0, gid: 0, umask: 0 },
  abort: new SharedArrayBuffer(4),
};

test("a pool works with threads that were started early, and with others beyond them", async () => {
  await using _early = startWorkersEarly(1);
  for (const workers of [1, 3]) {
    await using pool = new CpuPool({ setup: SETUP, workers });
    const runs = Array.from({ length: 9 }, () => pool.run("restore.end", SESSION));
    assert.deepEqual(
      await Promise.all(runs),
      Array.from({ length: 9 }, () => null),
    );
    assert.equal((await pool.runOnEach("restore.end", SESSION)).length, workers);
  }
});

test("a pool that has ended takes no more tasks, and does not hang", async () => {
  const pool = new CpuPool({ setup: SETUP, workers: 1 });
  await pool.run("restore.end", SESSION);
  await pool[Symbol.asyncDispose]();
  await assert.rejects(pool.run("restore.end", SESSION));
  await assert.rejects(pool.runOnEach("restore.end", SESSION));
});

test("threads that nobody took end, and do not keep the process alive", () => {
  const module = new URL("../../src/cpu-pool/start-worker.ts", import.meta.url).href;
  const program = `import { startWorkersEarly } from "${module}";
    await using workers = startWorkersEarly(2);`;
  for (let round = 0; round < 5; round++) {
    const ended = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
      encoding: "utf8",
      timeout: 60_000,
    });
    assert.equal(ended.stderr, "");
    assert.equal(ended.status, 0);
  }
});
