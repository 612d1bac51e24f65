import assert from "node:assert/strict";
import { test } from "node:test";
import { runTasksInThisThread } from "@comeback/engine/internal";
import { MemoryCatalog, SeededRandom } from "@comeback/testkit";
import { rebuildCatalog } from "../../src/catalog/rebuild-catalog.ts";
import { RunWorld } from "../runs/run-world.ts";

runTasksInThisThread(new SeededRandom(31));

/** Of the runs and snapshots of one repository, oldest first. */
async function rebuilt(world: RunWorld) {
  const store = new MemoryCatalog();
  await rebuildCatalog({ store, destination: "nas", snapshots: await world.snapshots("nas") });
  const runs = (await store.listRuns({ limit: 10 })).toReversed();
  const snapshots = (await store.listSnapshots({ limit: 10 })).toReversed();
  return { store, runs, snapshots };
}

test("a rebuilt history knows which snapshots are complete, and that it is rebuilt", async () => {
  const world = await RunWorld.make({ sources: { db: {}, logs: {} }, to: "nas" });
  await world.run();
  world.write("db", { b: null });
  await world.run();
  const { runs, snapshots } = await rebuilt(world);
  assert.deepEqual(
    runs.map(({ trigger, outcome }) => [trigger, outcome]),
    [
      ["rebuilt", "ok"],
      ["rebuilt", "warning"],
    ],
  );
  assert.match(runs[0]?.message ?? "", /^rebuilt from the repository: .* are complete$/);
  assert.match(runs[1]?.message ?? "", /^rebuilt from the repository: not everything/);
  const known = snapshots.map(({ source, outcome }) => `${source} ${outcome}`);
  assert.deepEqual(known.toSorted(), ["db ok", "db warning", "logs ok", "logs ok"]);
});

test("what was not known when a snapshot was saved is no success when it is rebuilt", async () => {
  const world = await RunWorld.make({ sources: { db: {} }, to: "nas" });
  world.catalog.listSnapshots = () => Promise.reject(new Error("the server has gone"));
  await world.run();
  const { runs, snapshots } = await rebuilt(world);
  assert.deepEqual([runs[0]?.outcome, snapshots[0]?.outcome], ["warning", "warning"]);
  assert.match(runs[0]?.message ?? "", /whether what it read was complete is not known$/);
});
