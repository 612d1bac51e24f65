import assert from "node:assert/strict";
import { test } from "node:test";
import type { Snapshot } from "@comeback/engine";
import { runTasksInThisThread } from "@comeback/engine/internal";
import { SeededRandom, StagedSource } from "@comeback/testkit";
import { assertOutcome, RunWorld } from "./run-world.ts";

runTasksInThisThread(new SeededRandom(12));

const PLACES = ["nas", "far"] as const;

async function idsOf(world: RunWorld, host: string): Promise<string[]> {
  const ids: string[] = [];
  for (const place of PLACES) {
    for (const source of ["db", "comeback-kit"]) {
      const all = await world.snapshots(place, source);
      ids.push(...all.filter(({ hostname }) => hostname === host).map(({ id }) => id));
    }
  }
  return ids;
}

test("hosts with one repository, one catalog and equal names do not touch each other's", async () => {
  const world = await RunWorld.make({
    sources: { db: {} },
    to: "nas",
    keep: { last: 1 },
    copies: [{ from: "nas", to: "far", keep: { last: 2 } }],
  });
  for (let i = 0; i < 3; i++) assertOutcome(await world.run(), "ok");
  const ofFirst = await idsOf(world, "web1");
  assert.equal(ofFirst.length, 6);

  // What the first host has is no baseline here: nothing vanished, and all is read.
  world.becomeHost("web2");
  world.write("db", { b: null });
  world.sources.set("db", await StagedSource.of(world.pathOf("db")));
  const first = await world.run();
  assertOutcome(first, "ok");
  const newest = (await world.snapshots("nas", "db")).at(-1) as Snapshot;
  assert.equal(newest.hostname, "web2");
  assert.equal(newest.parent, undefined);
  assert.ok(newest.tags?.includes("type:full"), String(newest.tags));

  for (let i = 0; i < 3; i++) assertOutcome(await world.run(), "ok");
  assert.deepEqual(await idsOf(world, "web1"), ofFirst, "retention of another host's");
  const ofSecond = await idsOf(world, "web2");
  assert.equal(ofSecond.length, 6);

  // The first host goes on from its own, and the other's stay as they were.
  world.becomeHost("web1");
  const before = (await world.snapshots("nas", "db")).find(({ hostname }) => hostname === "web1");
  world.write("db", { b: "back" });
  world.sources.set("db", await StagedSource.of(world.pathOf("db")));
  assertOutcome(await world.run(), "ok");
  const own = (await world.snapshots("nas", "db")).filter(({ hostname }) => hostname === "web1");
  assert.equal(own[0]?.parent, before?.id);
  assert.deepEqual(await idsOf(world, "web2"), ofSecond);

  const there = await world.catalog.forHost("web2").listSnapshots({ limit: 99 });
  const left = there.filter(({ removedAtMs }) => removedAtMs === undefined);
  assert.deepEqual(left.map(({ snapshotId }) => snapshotId).toSorted(), ofSecond.toSorted());
  assert.deepEqual(
    (await world.catalog.planStatesOfAllHosts()).map(({ host, plan }) => `${host} ${plan}`),
    ["web1 shop", "web2 shop"],
  );
  const recovery = world.kit.find(({ name }) => name === "RECOVERY.md")?.text ?? "";
  assert.match(recovery, /restore latest --host web1 --tag plan:shop,source:db --target/);
});
