import assert from "node:assert/strict";
import { test } from "node:test";
import type { RepositoryFile } from "@comeback/core";
import { FaultyBackend, MemoryBackend, SeededRandom, SimulatedClock } from "@comeback/testkit";
import { MeteredBackend, newMetrics } from "../src/index.ts";
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
    save: { calls: 2, errors: 1, bytes: 1000, totalMs: 40, longestMs: 40 },
    load: { calls: 2, errors: 0, bytes: 1300, totalMs: 9, longestMs: 9 },
    stat: { calls: 1, errors: 0, bytes: 0, totalMs: 0, longestMs: 0 },
    list: { calls: 2, errors: 1, bytes: 0, totalMs: 0, longestMs: 0 },
    remove: { calls: 1, errors: 0, bytes: 0, totalMs: 0, longestMs: 0 },
  });
});
