import assert from "node:assert/strict";
import { test } from "node:test";
import { runTasksInThisThread } from "@comeback/engine/internal";
import { SeededRandom } from "@comeback/testkit";
import { assertOutcome, DAY_MS, RunWorld } from "./run-world.ts";

runTasksInThisThread(new SeededRandom(9));

/** The source's own list of what must be there is another matter: here history tells. */
async function forget(world: RunWorld, file: string): Promise<void> {
  const { StagedSource } = await import("@comeback/testkit");
  world.write("db", { [file]: null });
  world.sources.set("db", await StagedSource.of(world.pathOf("db")));
}

test("what vanished fails the run, and keeps failing it until it is accepted", async () => {
  const world = await RunWorld.make({ sources: { db: {} }, to: "nas", keep: { last: 2 } });
  for (let i = 0; i < 3; i++) assertOutcome(await world.run(), "ok");
  assert.equal((await world.snapshots("nas")).length, 2);
  await forget(world, "b");
  for (let i = 0; i < 3; i++) {
    const report = await world.run();
    assertOutcome(report, "failed");
    assert.match(report.run.message ?? "", /db: file b is not there any more/);
    assert.ok(world.said(/where that is right as it is: `comeback run shop --only db --accept`/));
    assert.ok(world.said(/nothing of db is removed/));
  }
  assert.equal((await world.snapshots("nas")).length, 5, "nothing was removed meanwhile");
  assertOutcome(await world.run({ accept: true }), "ok");
  assertOutcome(await world.run(), "ok");
  assert.equal((await world.snapshots("nas")).length, 2);
});

test("what the source itself misses fails the run, and is no new normal", async () => {
  const world = await RunWorld.make({ sources: { db: {} }, to: "nas", keep: { last: 1 } });
  assertOutcome(await world.run(), "ok");
  world.write("db", { b: null });
  const report = await world.run();
  assertOutcome(report, "failed");
  assert.ok(world.said(/1 missing: b: it is not there/));
  assertOutcome(await world.run({ accept: true }), "failed");
  assert.equal((await world.snapshots("nas")).length, 3);
  world.write("db", { b: "back" });
  assertOutcome(await world.run(), "ok");
});

test("runs that only copy, and runs of other sources, remove nothing of what deviates", async () => {
  const world = await RunWorld.make({
    sources: { db: {}, logs: {} },
    to: "nas",
    keep: { last: 1 },
    copies: [{ from: "nas", to: "far", schedule: "weekly sun 03:00" }],
  });
  assertOutcome(await world.run(), "ok");
  await world.run({ part: { copies: ["far"] } });
  await forget(world, "b");
  assertOutcome(await world.run(), "failed");
  await world.run({ part: { copies: ["far"] } });
  assertOutcome(await world.run({ only: ["logs"] }), "ok");
  await world.run({ part: { copies: ["far"] } });
  assert.equal((await world.snapshots("nas", "db")).length, 2);
  assert.equal((await world.snapshots("nas", "logs")).length, 1);
});

test("where nobody can say what was there before, nothing is removed", async () => {
  const world = await RunWorld.make({ sources: { db: {} }, to: "nas", keep: { last: 1 } });
  await world.run();
  world.catalog.listSnapshots = () => Promise.reject(new Error("the server has gone"));
  assertOutcome(await world.run(), "warning");
  assert.equal((await world.snapshots("nas", "db")).length, 2);
});

test("a fall warns by itself, and fails where that is asked for", async () => {
  const world = await RunWorld.make({
    sources: { db: { expect: { vanished: "ignore" } } },
    to: "nas",
  });
  world.write("db", { a: Buffer.alloc(4_000, "a"), b: Buffer.alloc(4_000, "b") });
  assertOutcome(await world.run(), "ok");
  world.write("db", { a: "", b: "" });
  const report = await world.run();
  assertOutcome(report, "warning");
  assert.match(report.run.message ?? "", /only 0 B, where there were 7\.81 KiB: 100 % less/);
});

test("the history is looked through as far back as something was complete", async () => {
  const world = await RunWorld.make({ sources: { db: {} }, to: "nas" });
  assertOutcome(await world.run(), "ok");
  await forget(world, "b");
  await world.run();
  const [newest] = await world.catalog.listSnapshots({ source: "db", limit: 1 });
  for (let at = 1; at <= 200; at++) {
    const id = String(at).padStart(64, "0");
    await world.catalog.saveSnapshot({
      ...newest!,
      runId: `run-${at}`,
      snapshotId: id,
      atMs: newest!.atMs + at,
    });
  }
  assertOutcome(await world.run(), "failed");
});

test("nothing new for too long is told", async () => {
  const world = await RunWorld.make({
    sources: { db: { expect: { stale: { after: "7d" } } } },
    to: "nas",
  });
  assertOutcome(await world.run(), "ok");
  await world.clock.advance(3 * DAY_MS);
  assertOutcome(await world.run(), "ok");
  await world.clock.advance(5 * DAY_MS);
  const report = await world.run();
  assertOutcome(report, "warning");
  assert.match(report.run.message ?? "", /nothing has changed for 8\.\d days/);
});
