import assert from "node:assert/strict";
import { test } from "node:test";
import type { RepositoryFile } from "@comeback/core";
import { FaultyBackend, MemoryBackend, SeededRandom, SimulatedClock } from "@comeback/testkit";
import { newMetrics, stackLayers } from "../src/index.ts";
import { driven } from "./drive-clock.ts";

const random = new SeededRandom(71);
const MiB = 1024 * 1024;

test("storage behind a network is asked again; a folder is not", async () => {
  const clock = new SimulatedClock();
  const file: RepositoryFile = { type: "pack", name: random.hex(32) };
  const remote = new FaultyBackend(new MemoryBackend());
  const local = new FaultyBackend(new MemoryBackend());
  for (const adapter of [remote, local]) {
    adapter.stage({ method: "save", fault: { kind: "error" } });
  }
  await driven(clock, stackLayers(remote, { clock, random }).save(file, random.bytes(9)));
  const backend = stackLayers(local, { isFolder: true, clock, random });
  await assert.rejects(backend.save(file, random.bytes(9)), /a staged failure/);
  assert.equal(backend, local, "nothing stands between us and a disk");
});

test("what is sent again counts against the rate and in the metrics", async () => {
  const clock = new SimulatedClock();
  const metrics = newMetrics();
  const adapter = new FaultyBackend(new MemoryBackend());
  adapter.stage({ method: "save", fault: { kind: "error" } });
  const limits = { uploadBytesPerSecond: MiB };
  const backend = stackLayers(adapter, { clock, random, limits, metrics });
  const startMs = clock.now();
  const file: RepositoryFile = { type: "pack", name: random.hex(32) };
  await driven(clock, backend.save(file, random.bytes(8 * MiB)));
  assert.ok(clock.now() - startMs >= 15_000, `${clock.now() - startMs} ms`);
  assert.deepEqual([metrics.save.calls, metrics.save.errors], [2, 1]);
  assert.equal(metrics.save.bytes, 8 * MiB);
});
