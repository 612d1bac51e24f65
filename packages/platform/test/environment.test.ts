import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock, systemRandom } from "../src/index.ts";

test("the clock sleeps, and wakes with the signal's own reason", async () => {
  const before = systemClock.now();
  await systemClock.sleep(2);
  assert.ok(systemClock.now() >= before + 1);
  const controller = new AbortController();
  const reason = new Error("enough");
  const slept = systemClock.sleep(3_600_000, controller.signal);
  controller.abort(reason);
  await assert.rejects(slept, (error) => error === reason);
  await assert.rejects(systemClock.sleep(1, controller.signal), (error) => error === reason);
});

test("random bytes fill what is given, and are never the same", () => {
  const target = new Uint8Array(64);
  const around = new Uint8Array(target.buffer, 16, 32);
  assert.equal(systemRandom.fill(around), around);
  assert.ok(target.subarray(0, 16).every((byte) => byte === 0));
  assert.ok(target.subarray(48).every((byte) => byte === 0));
  const first = around.slice();
  assert.notDeepEqual(systemRandom.fill(around), first);
});
