import assert from "node:assert/strict";
import { test } from "node:test";
import { METRICS_TIMES_KEPT_MAX, type RepositoryFile } from "@comeback/core";
import { FaultyBackend, MemoryBackend, SeededRandom, SimulatedClock } from "@comeback/testkit";
import { medianMs, MeteredBackend, newMetrics } from "../src/index.ts";
import { driven } from "./drive-clock.ts";

test("calls, errors, bytes and times are counted, for each method", async () => {
  const random = new SeededRandom(51);
  const clock = new SimulatedClock();
  const faulty = new FaultyBackend(new MemoryBackend());
  const metrics = newMetrics();
  const backend = new MeteredBackend(faulty, metrics, clock);
  const file: RepositoryFile = { type: "pack", name: random.hex(32) };
  faulty.stage({ method: "save", when: 1, fault: { kind: "delay", delayMs: 40, clock } });
  await driven(clock, backend.save(file, random.bytes(1000)));
  await assert.rejects(backend.save(file, random.bytes(1000)));
  await backend.load(file, { length: 300 });
  faulty.stage({ method: "load", when: 1, fault: { kind: "delay", delayMs: 9, clock } });
  await driven(clock, backend.load(file));
  await backend.stat(file);
  for await (const { sizeBytes } of backend.list("pack")) {
    assert.equal(sizeBytes, 1000);
    break;
  }
  faulty.stage({ method: "list", when: 1, fault: { kind: "error" } });
  await assert.rejects(Array.fromAsync(backend.list("pack")));
  await backend.remove(file);
  assert.deepEqual(metrics, {
    save: { calls: 2, errors: 1, bytes: 1000, totalMs: 40, longestMs: 40, recentMs: [40, 0] },
    load: { calls: 2, errors: 0, bytes: 1300, totalMs: 9, longestMs: 9, recentMs: [0, 9] },
    stat: { calls: 1, errors: 0, bytes: 0, totalMs: 0, longestMs: 0, recentMs: [0] },
    list: { calls: 2, errors: 1, bytes: 0, totalMs: 0, longestMs: 0, recentMs: [0, 0] },
    remove: { calls: 1, errors: 0, bytes: 0, totalMs: 0, longestMs: 0, recentMs: [0] },
  });
});

test("the middle time is that of the last calls, of which so many are kept", async () => {
  const clock = new SimulatedClock();
  const random = new SeededRandom(52);
  const metrics = newMetrics();
  assert.equal(medianMs(metrics.stat), 0);
  const faulty = new FaultyBackend(new MemoryBackend());
  const backend = new MeteredBackend(faulty, metrics, clock);
  const file: RepositoryFile = { type: "pack", name: random.hex(32) };
  await backend.save(file, random.bytes(10));
  for (const delayMs of [7, 1, 900, 8, 2]) {
    faulty.stage({ method: "stat", when: 1, fault: { kind: "delay", delayMs, clock } });
    await driven(clock, backend.stat(file));
  }
  assert.equal(medianMs(metrics.stat), 7);
  for (let call = 0; call < METRICS_TIMES_KEPT_MAX; call++) await backend.stat(file);
  assert.equal(metrics.stat.recentMs.length, METRICS_TIMES_KEPT_MAX);
  assert.equal(medianMs(metrics.stat), 0);
  assert.equal(metrics.stat.longestMs, 900);
});
