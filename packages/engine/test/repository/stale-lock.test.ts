import assert from "node:assert/strict";
import { hostname } from "node:os";
import { test } from "node:test";
import { LOCK_ABANDONED_MS, LOCK_STALE_MS } from "@comeback/core";
import type { ProcessPlace } from "@comeback/platform";
import type { LockFile } from "../../src/repository/lock-file.ts";
import { isAbandoned, isStale, type LockView } from "../../src/repository/stale-lock.ts";

const NOW_MS = Date.UTC(2026, 5, 1);
const HERE: ProcessPlace = { bootId: "b0", pidNamespace: "pid:[4026531836]" };
const CONTAINER: ProcessPlace = { bootId: "b0", pidNamespace: "pid:[4026532999]" };
const REBOOTED: ProcessPlace = { bootId: "b1", pidNamespace: "pid:[4026531836]" };

/** A lock of process 7 on a host with our name, taken somewhere some time ago. */
function lock(ageMs: number, place?: ProcessPlace): LockFile {
  return {
    time: new Date(NOW_MS - ageMs).toISOString(),
    exclusive: true,
    hostname: hostname(),
    username: "root",
    pid: 7,
    ...(place === undefined
      ? {}
      : { comeback: { boot_id: place.bootId, pid_namespace: place.pidNamespace } }),
  };
}

const gone: LockView = { nowMs: NOW_MS, place: HERE, isGone: (pid) => pid === 7 };
const runs: LockView = { nowMs: NOW_MS, place: HERE, isGone: () => false };

test("our lock is stale at once where its process is gone, and not while it runs", () => {
  assert.equal(isStale(lock(1000, HERE), gone), true);
  assert.equal(isStale(lock(LOCK_STALE_MS - 1, HERE), runs), false);
});

test("two containers with one host name: the other's process number proves nothing", () => {
  // Process 7 of the other container works; here there is none. And the other way round.
  assert.equal(isStale(lock(1000, CONTAINER), gone), false);
  assert.equal(isStale(lock(1000, HERE), { ...gone, place: CONTAINER }), false);
  assert.equal(isAbandoned(lock(1000, CONTAINER), gone), false);
});

test("a lock without a place, restic's, and a view without one, wait for the half hour", () => {
  assert.equal(isStale(lock(LOCK_STALE_MS - 1), gone), false);
  assert.equal(isStale(lock(LOCK_STALE_MS + 1), gone), true);
  assert.equal(isStale(lock(LOCK_STALE_MS + 1), runs), true);
  const foreign = { ...lock(1000, HERE), comeback: {} } as unknown as LockFile;
  assert.equal(isStale(foreign, gone), false);
});

test("a namesake machine, or this one before it was started anew, waits as well", () => {
  assert.equal(isStale(lock(1000, REBOOTED), gone), false);
  assert.equal(isStale(lock(LOCK_STALE_MS + 1, REBOOTED), gone), true);
});

test("who asks clears restic's locks once they have missed two refreshes", () => {
  assert.equal(isAbandoned(lock(LOCK_ABANDONED_MS + 1), gone), true);
  assert.equal(isAbandoned(lock(LOCK_ABANDONED_MS - 1), gone), false);
  assert.equal(isAbandoned(lock(LOCK_ABANDONED_MS + 1), runs), false);
  assert.equal(isAbandoned(lock(LOCK_ABANDONED_MS + 1, REBOOTED), gone), true);
  const elsewhere = { ...lock(LOCK_ABANDONED_MS + 1), hostname: `${hostname()}-2` };
  assert.equal(isAbandoned(elsewhere, gone), false);
  assert.equal(isAbandoned({ ...elsewhere, ...lock(LOCK_STALE_MS + 1) }, runs), true);
});
