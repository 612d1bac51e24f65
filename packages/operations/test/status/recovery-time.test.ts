import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryCatalog } from "@comeback/testkit";
import { runTasksInThisThread } from "@comeback/engine/internal";
import { makeSnapshot, SeededRandom } from "@comeback/testkit";
import { recoveryTimeOf, saveThroughput } from "../../src/status/recovery-time.ts";
import { RunWorld } from "../runs/run-world.ts";

runTasksInThisThread(new SeededRandom(41));

test("before there is a restore test, what there is at the speed of the backup; then the test", async () => {
  const catalog = new MemoryCatalog();
  const state = (newest: ReturnType<typeof makeSnapshot>[]) => ({ plan: "shop", newest });
  const newest = [
    makeSnapshot({ snapshotId: "1", source: "a", destination: "nas", atMs: 1, sizeBytes: 5 }),
    makeSnapshot({ snapshotId: "2", source: "a", destination: "far", atMs: 2, sizeBytes: 3_000 }),
    makeSnapshot({ snapshotId: "3", source: "b", destination: "nas", atMs: 1, sizeBytes: 1_000 }),
  ];
  assert.equal(await recoveryTimeOf(catalog, state(newest)), undefined);
  await saveThroughput(catalog, "shop", { bytes: 1_000, ms: 500 });
  assert.equal(await recoveryTimeOf(catalog, state([])), undefined);
  assert.deepEqual(await recoveryTimeOf(catalog, state(newest)), {
    kind: "estimate",
    ms: 2_000,
    sizeBytes: 4_000,
    bytesPerSecond: 2_000,
  });
  const proof = {
    runId: "r",
    plan: "shop",
    destination: "nas",
    message: "",
    outcome: "ok",
  } as const;
  await catalog.saveProof({ ...proof, kind: "restore-test", atMs: 10, tookMs: 7 });
  await catalog.saveProof({
    ...proof,
    kind: "restore-test",
    atMs: 11,
    tookMs: 9,
    outcome: "failed",
  });
  await catalog.saveProof({ ...proof, kind: "check", atMs: 12 });
  const measured = { kind: "measured", ms: 7, atMs: 10 };
  assert.deepEqual(await recoveryTimeOf(catalog, state(newest)), measured);
});

test("a run says how fast it was where it read everything, and not where little was new", async () => {
  const world = await RunWorld.make({ sources: { db: {} }, to: "nas" });
  world.source("db").onRead = () => world.clock.advance(2_000);
  await world.run();
  const first = await world.catalog.readNote("throughput shop");
  const { bytes, ms } = JSON.parse(first ?? "") as { bytes: number; ms: number };
  assert.ok(bytes > 0);
  assert.equal(ms % 2_000, 0);
  await world.run();
  assert.equal(await world.catalog.readNote("throughput shop"), first);
});
