import assert from "node:assert/strict";
import { test } from "node:test";
import { runTasksInThisThread } from "@comeback/engine/internal";
import { SeededRandom } from "@comeback/testkit";
import { assertOutcome, DAY_MS, HOUR_MS, RunWorld, START_MS } from "./run-world.ts";

runTasksInThisThread(new SeededRandom(10));

const chain = [
  { from: "nas", to: "far" },
  { from: "far", to: "cloud" },
];

test("a chain of copies brings every snapshot to its end", async () => {
  const world = await RunWorld.make({ sources: { a: {}, b: {} }, to: "nas", copies: chain });
  assertOutcome(await world.run(), "ok");
  assertOutcome(await world.run(), "ok");
  for (const name of ["nas", "far", "cloud"]) {
    assert.equal((await world.snapshots(name)).length, 4, name);
    assert.equal((await world.snapshots(name, "comeback-kit")).length, 2, name);
  }
  const [state] = await world.catalog.planStates(["shop"]);
  const places = state!.newest
    .filter(({ source }) => source === "a")
    .map(({ destination }) => destination);
  assert.deepEqual(places.toSorted(), ["cloud", "far", "nas"]);
});

test("a copy that failed is caught up with, and nothing is removed that waits for it", async () => {
  const world = await RunWorld.make({
    sources: { a: {} },
    to: "nas",
    keep: { last: 1 },
    copies: [{ from: "nas", to: "far", retries: { count: 0 } }],
  });
  world.store("far").prepare = (backend) =>
    backend.stage({ method: "save", type: "snapshot", fault: { kind: "error" }, when: "always" });
  for (let i = 0; i < 3; i++) assertOutcome(await world.run(), "failed");
  assert.equal((await world.snapshots("nas", "a")).length, 3, "all of them wait");
  assert.ok(world.said(/stay until they are copied/));
  world.store("far").prepare = (backend) =>
    backend.stage({ method: "list", fault: { kind: "error" }, when: "always" });
  assertOutcome(await world.run(), "failed");
  assert.equal((await world.snapshots("nas", "a")).length, 4, "it cannot be seen what waits");
  world.store("far").prepare = () => undefined;
  assertOutcome(await world.run(), "ok");
  assert.equal((await world.snapshots("far", "a")).length, 5);
  assert.equal((await world.snapshots("nas", "a")).length, 1);
});

test("a copy waits for its window, and breaks off when that ends; the rest follows", async () => {
  const world = await RunWorld.make({
    sources: { a: {} },
    to: "nas",
    copies: [{ from: "nas", to: "far", window: "22:00-23:00" }],
  });
  assertOutcome(await world.run(), "ok");
  assert.equal(world.outcomeOf("copy", "nas → far"), "skipped");
  assert.equal((await world.snapshots("far")).length, 0);
  await world.clock.advance(START_MS + 19.5 * HOUR_MS - world.clock.now());
  let isOver = false;
  world.store("far").prepare = (backend) =>
    backend.stage({
      method: "save",
      type: "pack",
      fault: { kind: "delay", delayMs: 0, clock: { now: () => 0, sleep: () => overrun() } },
    });
  const overrun = async (): Promise<void> => {
    isOver = true;
    await world.clock.advance(2 * HOUR_MS);
  };
  assertOutcome(await world.run(), "ok");
  assert.ok(isOver);
  assert.equal(world.outcomeOf("copy", "nas → far"), "skipped");
  assert.ok(world.said(/its window, 22:00-23:00, has ended; . snapshots follow in the next/));
  world.store("far").prepare = () => undefined;
  await world.clock.advance(START_MS + DAY_MS + 19.2 * HOUR_MS - world.clock.now());
  assertOutcome(await world.run(), "ok");
  assert.equal((await world.snapshots("far", "a")).length, 3);
  assert.equal(world.clock.sleeping, 0, "nothing goes on waiting for the window");
});

test("copies take what their filters let through", async () => {
  const world = await RunWorld.make({
    sources: { a: {}, b: {} },
    to: "nas",
    copies: [{ from: "nas", to: "far", only: { types: "full", sources: "a" } }],
  });
  await world.run();
  await world.run();
  await world.run({ type: "full" });
  const tags = (await world.snapshots("far")).map(({ tags: all = [] }) => all.slice(1, 3));
  assert.deepEqual(tags, [
    ["source:a", "type:full"],
    ["source:a", "type:full"],
  ]);
  assert.equal((await world.snapshots("nas")).length, 6);
});

test("what retention removed far away does not come again", async () => {
  const world = await RunWorld.make({
    sources: { a: {} },
    to: "nas",
    keep: { last: 5 },
    copies: [{ from: "nas", to: "far", keep: { last: 2 } }],
  });
  for (let i = 0; i < 5; i++) assertOutcome(await world.run(), "ok");
  assert.equal((await world.snapshots("far", "a")).length, 2);
  const copied = world.stages.find(
    ({ stage, endedAtMs }) => stage === "copy" && endedAtMs !== undefined,
  );
  assert.equal(copied?.outcome, "ok");
  assert.ok(world.said(/2 snapshots copied/), "the newest of the source, and of the kit");
});

test("a copy with a schedule of its own is made when it is asked for", async () => {
  const world = await RunWorld.make({
    sources: { a: {} },
    to: "nas",
    keep: { last: 1 },
    copies: [{ from: "nas", to: "far", schedule: "weekly sun 03:00" }],
  });
  for (let i = 0; i < 3; i++) assertOutcome(await world.run(), "ok");
  assert.equal((await world.snapshots("far")).length, 0);
  assert.equal((await world.snapshots("nas", "a")).length, 3);
  const report = await world.run({ part: { copies: ["far"] } });
  assertOutcome(report, "ok");
  assert.equal(report.run.backupType, undefined);
  assert.equal((await world.snapshots("far", "a")).length, 3);
  assert.equal((await world.snapshots("nas", "a")).length, 1);
});

test("a dry run changes nothing anywhere, and says what it would do", async () => {
  const world = await RunWorld.make({
    sources: { a: { snapshot: "frozen" }, b: { pins: true } },
    to: ["nas", "usb"],
    keep: { last: 1 },
    copies: [{ from: "nas", to: "far" }],
    maintenance: { enter: [{ command: "flag up", undo: { command: "flag down" } }] },
    hooks: [{ on: ["start", "success"], command: "told" }],
    notify: "ops",
  });
  await world.run();
  world.store("far").prepare = (backend) =>
    backend.stage({ method: "save", type: "snapshot", fault: { kind: "error" }, when: "always" });
  await world.run();
  world.store("far").prepare = () => undefined;
  world.write("a", { c: "new" });
  const before = await world.bytes();
  const told = [world.ran.length, world.notifications.length];
  const report = await world.run({ dryRun: true, accept: true });
  assertOutcome(report, "ok");
  assert.deepEqual(await world.bytes(), before);
  assert.deepEqual([world.ran.length, world.notifications.length], told);
  assert.equal(report.sources[0]?.capture?.result.summary.total_files_processed, 3);
  assert.equal(world.outcomeOf("copy", "nas → far"), "skipped");
  assert.ok(world.said(/would copy/));
  assert.ok(world.said(/snapshots? stay, \d+ go/));
});
