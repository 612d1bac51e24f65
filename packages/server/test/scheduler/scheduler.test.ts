import assert from "node:assert/strict";
import { test } from "node:test";
import { ScheduleWorld, timingsOf } from "./schedule-world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** A Thursday. */
const START = Date.UTC(2026, 0, 1);

function plan(schedule: unknown, more: object = {}): object {
  return { sources: { data: { files: { paths: ["/srv"] } } }, to: "nas", schedule, ...more };
}

async function worldOf(plans: object, more: object = {}): Promise<ScheduleWorld> {
  const world = new ScheduleWorld(START, timingsOf(plans, more));
  await world.up();
  return world;
}

test("a plan starts at its moments, and its marks are in the catalog", async () => {
  const world = await worldOf({ shop: plan("daily 02:00,14:00") });
  await world.pass(DAY);
  assert.deepEqual(world.startedList, ["shop incremental 02:00", "shop incremental 14:00"]);
  assert.equal(
    await world.catalog.readScheduleMark("shop", "incremental daily 02:00,14:00 UTC"),
    START + 14 * HOUR,
  );
  assert.deepEqual(await world.missedList(), []);
});

test("of types that fall together the strongest runs, and answers for all", async () => {
  const schedule = {
    incremental: "daily 03:00",
    differential: "weekly sun 03:00",
    full: "monthly 4 03:00",
  };
  const world = await worldOf({ shop: plan(schedule) });
  await world.pass(11 * DAY);
  assert.deepEqual(
    world.started.map(({ request }) => request.type),
    [...Array(3).fill("incremental"), "full", ...Array(6).fill("incremental"), "differential"],
  );
  assert.deepEqual(await world.missedList(), []);
});

test("after downtime the newest moment is made up for once, and the others are missed", async () => {
  const world = await worldOf({ shop: plan("hourly") });
  await world.pass(HOUR + 10 * MINUTE);
  world.down();
  await world.pass(4 * HOUR + 10 * MINUTE);
  await world.up();
  await world.pass(HOUR);
  assert.deepEqual(world.startedList, [
    "shop incremental 01:00",
    "shop incremental 05:00 catch-up",
    "shop incremental 06:00",
  ]);
  // The one that made up for them is named.
  assert.deepEqual(await world.missedList(), [
    "shop incremental 02:00 down (run-2)",
    "shop incremental 03:00 down (run-2)",
    "shop incremental 04:00 down (run-2)",
  ]);
});

test("a full that was missed is not made up for by an incremental", async () => {
  const schedule = { incremental: "hourly", full: "daily 03:00", "catch-up": false };
  const world = await worldOf({ shop: plan(schedule) });
  await world.pass(2 * HOUR + 30 * MINUTE);
  world.down();
  await world.pass(HOUR);
  await world.up();
  await world.pass(HOUR);
  assert.deepEqual(world.startedList.slice(2), ["shop incremental 04:00"]);
  assert.deepEqual(await world.missedList(), [
    "shop full 03:00 down",
    "shop incremental 03:00 down (run-3)",
  ]);
  await world.pass(DAY);
  assert.match((await world.missedList())[0]!, /^shop full 03:00 down \(run-/);
});

test("a run that is not finished when the next is due: a miss, and no queue", async () => {
  const world = await worldOf({ shop: plan("hourly") });
  world.nextRun = () => ({ ms: 2.5 * HOUR, outcome: "failed" });
  await world.pass(5 * HOUR);
  assert.deepEqual(world.startedList, ["shop incremental 01:00", "shop incremental 04:00"]);
  assert.deepEqual(await world.missedList(), [
    "shop incremental 02:00 overrun",
    "shop incremental 03:00 overrun",
    "shop incremental 05:00 overrun",
  ]);
});

test("a full that is due while an incremental runs waits for it", async () => {
  const world = await worldOf({ shop: plan({ incremental: "hourly", full: "daily 02:00" }) });
  world.nextRun = ({ scheduledForMs }) => ({
    ms: scheduledForMs === START + HOUR ? 2.5 * HOUR : MINUTE,
    outcome: "ok",
  });
  await world.pass(4 * HOUR);
  assert.deepEqual(world.startedList.slice(0, 3), [
    "shop incremental 01:00",
    "shop full 03:00",
    "shop incremental 04:00",
  ]);
  assert.equal(world.started[1]!.atMs, START + 3.5 * HOUR);
  // Of the incrementals that waited along, the newer one took the place of the older.
  assert.deepEqual(await world.missedList(), ["shop incremental 02:00 blocked (run-2)"]);
});

test("plans take turns where one repository or the limit says so", async () => {
  const plans = {
    a: plan("daily 02:00"),
    b: plan("daily 02:00", { to: "alias" }),
    c: plan("daily 02:00", { to: "disk" }),
    d: plan("daily 02:00", { to: "cloud" }),
  };
  const world = await worldOf(plans, { daemon: { "parallel-runs": 2 } });
  world.nextRun = ({ plan }) => ({ ms: plan === "a" ? HOUR : 20 * MINUTE, outcome: "ok" });
  await world.pass(DAY);
  const startedAt = world.started.map(
    ({ request, atMs }) => `${request.plan} ${(atMs - START) / MINUTE}`,
  );
  assert.deepEqual(startedAt, ["a 120", "c 120", "d 140", "b 180"]);
  assert.deepEqual(await world.missedList(), []);
});

test("what waits until its next moment comes has missed the one before", async () => {
  const world = await worldOf({
    a: plan("daily 00:30"),
    b: plan("hourly", { to: "alias" }),
  });
  world.nextRun = ({ plan }) => ({ ms: plan === "a" ? 2 * HOUR : MINUTE, outcome: "ok" });
  await world.pass(3 * HOUR);
  assert.deepEqual(world.startedList, [
    "a incremental 00:30",
    "b incremental 02:00",
    "b incremental 03:00",
  ]);
  assert.deepEqual(await world.missedList(), ["b incremental 01:00 blocked (run-2)"]);
});

test("quiet windows: several moments start as one, at the end", async () => {
  const schedule = { incremental: "hourly", full: "daily 03:00", quiet: "02:30-06:30" };
  const world = await worldOf({ shop: plan(schedule) });
  await world.pass(7 * HOUR);
  assert.deepEqual(world.startedList, [
    "shop incremental 01:00",
    "shop incremental 02:00",
    "shop full 06:00",
    "shop incremental 07:00",
  ]);
  assert.equal(world.started[2]!.atMs, START + 6.5 * HOUR);
  assert.deepEqual(await world.missedList(), []);
});

test("nothing starts in a quiet window, also not what is made up for", async () => {
  const world = await worldOf({ shop: plan({ incremental: "daily 01:00", quiet: "02:00-08:00" }) });
  world.down();
  await world.pass(3 * HOUR);
  await world.up();
  await world.pass(5 * HOUR);
  assert.deepEqual(world.startedList, ["shop incremental 01:00 catch-up"]);
  assert.equal(world.started[0]!.atMs, START + 8 * HOUR);
});

test("copies and digests have moments of their own", async () => {
  const copies = [
    { from: "nas", to: "cloud", schedule: "daily 02:00" },
    { from: "nas", to: "disk" },
  ];
  const more = {
    channels: { ops: { ping: { url: "http://x" }, digest: "daily 02:00" } },
  };
  const world = await worldOf({ shop: plan("daily 02:00", { copies }) }, more);
  await world.pass(DAY);
  assert.deepEqual(world.startedList.toSorted(), [
    "digest ops digest 02:00",
    "shop copy nas>cloud 02:00",
    "shop incremental 02:00",
  ]);
});

test("a plan that is not enabled starts nothing and misses nothing", async () => {
  const timings = timingsOf({ shop: plan("hourly") });
  const world = await worldOf({ shop: plan("hourly", { enabled: false }) });
  await world.pass(3 * HOUR + MINUTE);
  world.down();
  world.timings = timings;
  await world.up();
  await world.pass(HOUR);
  assert.deepEqual(world.startedList, ["shop incremental 04:00"]);
  assert.deepEqual(await world.missedList(), []);
});

test("a reload keeps what runs and what waits, and new schedules owe nothing", async () => {
  const world = await worldOf({ a: plan("daily 00:30"), b: plan("daily 01:00") });
  world.nextRun = () => ({ ms: 2 * HOUR, outcome: "ok" });
  await world.pass(1.5 * HOUR);
  await world.reload(
    timingsOf({ a: plan("daily 00:30"), b: plan("daily 01:00"), c: plan("daily 01:00") }),
  );
  await world.pass(4 * HOUR);
  assert.deepEqual(world.startedList, ["a incremental 00:30", "b incremental 01:00"]);
  assert.deepEqual(await world.missedList(), []);
});

test("what waits for its turn and is taken out of the configuration is missed", async () => {
  const world = await worldOf({ a: plan("daily 00:30"), b: plan("daily 01:00") });
  world.nextRun = () => ({ ms: 2 * HOUR, outcome: "ok" });
  await world.pass(1.5 * HOUR);
  await world.reload(timingsOf({ b: plan("daily 04:00") }));
  // What is out of the configuration still runs, and holds its repository until it has ended.
  await world.pass(4 * HOUR);
  assert.deepEqual(world.startedList, ["a incremental 00:30", "b incremental 04:00"]);
  assert.deepEqual(await world.missedList(), ["b incremental 01:00 reconfigured"]);
});

test("a run that cannot be started is missed, and the next one starts", async () => {
  const world = await worldOf({ shop: plan("hourly") });
  world.nextRun = ({ scheduledForMs }) =>
    scheduledForMs === START + HOUR ? undefined : { ms: MINUTE, outcome: "ok" };
  await world.pass(2.5 * HOUR);
  assert.deepEqual(world.startedList, ["shop incremental 02:00"]);
  assert.deepEqual(await world.missedList(), ["shop incremental 01:00 start-failed (run-1)"]);
});

test("a clock set back repeats nothing", async () => {
  const world = await worldOf({ shop: plan("hourly") });
  await world.pass(3 * HOUR + 10 * MINUTE);
  world.clock.set(-2 * HOUR);
  await world.pass(3 * HOUR);
  assert.deepEqual(world.startedList, [
    "shop incremental 01:00",
    "shop incremental 02:00",
    "shop incremental 03:00",
    "shop incremental 04:00",
  ]);
});

test("a clock set on: what was jumped over is missed, and made up for once", async () => {
  const world = await worldOf({ shop: plan("hourly") });
  await world.pass(HOUR + 10 * MINUTE);
  world.clock.set(3 * HOUR + 20 * MINUTE);
  await world.pass(MINUTE);
  assert.deepEqual(world.startedList, [
    "shop incremental 01:00",
    "shop incremental 04:00 catch-up",
  ]);
  assert.equal((await world.missedList()).length, 2);
});

test("a clock that was a year ahead does not hold the schedule up for a year", async () => {
  const world = await worldOf({ shop: plan("daily 02:00") });
  world.clock.set(365 * DAY);
  await world.pass(3 * HOUR);
  world.clock.set(-365 * DAY);
  world.started.length = 0;
  await world.pass(2 * DAY);
  assert.deepEqual(world.startedList, ["shop incremental 02:00", "shop incremental 02:00"]);
  assert.ok(world.events.some(({ kind }) => kind === "set-back"));
});

test("nothing starts before the clock was set", async () => {
  const world = new ScheduleWorld(0, timingsOf({ shop: plan("hourly") }));
  const up = world.up();
  await world.pass(2 * HOUR);
  assert.deepEqual(world.events, [{ kind: "clock-not-set", nowMs: 0 }]);
  world.clock.set(START);
  await world.pass(MINUTE);
  await up;
  await world.pass(HOUR);
  assert.deepEqual(world.startedList, ["shop incremental 03:00"]);
  assert.deepEqual(await world.missedList(), []);
});

test("a catalog that cannot be written stops no backup, and is told", async () => {
  const world = await worldOf({ shop: plan("hourly") });
  await world.pass(HOUR + MINUTE);
  const { saveRun } = world.catalog;
  world.catalog.saveRun = async () => {};
  world.catalog.isFull = true;
  await world.pass(2 * HOUR);
  world.catalog.isFull = false;
  world.catalog.saveRun = saveRun;
  assert.equal(world.startedList.length, 3);
  assert.ok(world.events.some(({ kind }) => kind === "catalog-failed"));
});

test("of thousands of missed moments the newest are recorded, the rest is counted", async () => {
  const world = await worldOf({ shop: plan("*/5 * * * *") });
  world.down();
  await world.pass(10 * DAY);
  await world.up();
  await world.pass(MINUTE);
  const misses = await world.catalog.listMisses({ limit: Infinity });
  assert.equal(misses.length, 1000 - 1);
  const told = world.events.find(({ kind }) => kind === "missed");
  assert.equal(told?.kind === "missed" && told.omitted, 10 * 288 - 1000);
  assert.equal(world.started.length, 1);
});
