import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "@comeback/testkit";
import { ScheduleWorld, someTime, timingsOf } from "./schedule-world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 1);

const ZONES = [
  "Europe/Vienna",
  "America/New_York",
  "Australia/Lord_Howe", // by half an hour
  "Africa/Cairo", // at midnight
  "America/Santiago", // at midnight, the day before
  "Pacific/Chatham",
];

/** Schedules that get into each other's way, and into that of every change of the clocks. */
function plansIn(zone: string): object {
  const sources = { data: { files: { paths: ["/srv"] } } };
  const shared = { sources, to: "nas" };
  return {
    shop: {
      ...shared,
      schedule: {
        incremental: "hourly :15",
        differential: "weekly sun 02:15",
        full: "monthly last 02:15",
        timezone: zone,
        jitter: "40m",
        quiet: ["sat 22:30-03:30", "12:00-13:00"],
      },
      copies: [{ from: "nas", to: "cloud", schedule: "daily 00:30" }],
    },
    web: {
      ...shared,
      to: "alias",
      schedule: {
        incremental: "daily 00:30,02:30,23:45",
        full: "yearly 3-29 02:30",
        timezone: zone,
      },
    },
    mail: {
      ...shared,
      to: "disk",
      schedule: { incremental: "*/30 1-3 * * *", timezone: zone, "catch-up": false, jitter: "5m" },
    },
  };
}

async function liveThroughAYear(seed: number, zone: string): Promise<void> {
  const random = new SeededRandom(seed);
  const timings = timingsOf(plansIn(zone), { daemon: { "parallel-runs": random.integer(1, 3) } });
  // Where nothing sets the clock, no time needs to be looked at in which nothing is due.
  const world = new ScheduleWorld(START, timings, DAY);
  world.nextRun = () => {
    if (random.chance(1)) return undefined;
    const ms = random.chance(3) ? someTime(random, 30 * 60) : someTime(random, 20);
    return { ms, outcome: random.pick(["ok", "warning", "failed"] as const) };
  };
  await world.up();
  let downs = 0;
  while (world.clock.now() < START + 365 * DAY) {
    await world.pass(someTime(random, 6 * 24 * 60));
    if (random.chance(40)) {
      world.down();
      downs++;
      if (random.chance(60)) world.clock.set(random.integer(-20 * HOUR, 30 * HOUR));
      await world.pass(random.chance(50) ? someTime(random, 30) : someTime(random, 4 * 24 * 60));
      await world.up();
    } else if (random.chance(20)) {
      await world.reload(timings);
    }
  }
  const endMs = world.clock.now();
  world.nextRun = () => ({ ms: MINUTE, outcome: "ok" });
  await world.pass(4 * DAY);

  const moments = await world.checkAllAnswered(START, endMs);
  assert.ok(moments > 9_000, `${moments} moments`);
  const names = world.started.map(
    ({ request }) => `${request.plan} ${request.job.kind} ${request.scheduledForMs}`,
  );
  assert.equal(new Set(names).size, names.length, "no moment is run twice");
  for (const plan of ["shop", "web", "mail"]) {
    const backups = world.started.filter(
      ({ request }) => request.plan === plan && request.job.kind === "backup",
    );
    const madeUp = backups.filter(({ request }) => request.trigger === "catch-up").length;
    assert.ok(madeUp <= downs, `${plan}: ${madeUp} made up for after ${downs} times down`);
    if (plan === "mail") assert.equal(madeUp, 0);
  }
}

for (const [index, zone] of ZONES.entries()) {
  test(`a year in ${zone}: every moment is answered once, whatever happens`, async () => {
    const seed = index + 1;
    await assert.doesNotReject(liveThroughAYear(seed, zone), `seed ${seed}`);
  });
}

test("a clock that is set while the daemon runs", async () => {
  for (const seed of [1, 2]) {
    const random = new SeededRandom(seed);
    const world = new ScheduleWorld(START, timingsOf(plansIn("Europe/Vienna")));
    await world.up();
    for (let i = 0; i < 25; i++) {
      await world.pass(someTime(random, 10 * 60));
      world.clock.set(random.integer(-3 * HOUR, 5 * HOUR));
    }
    await world.pass(DAY);
    const endMs = world.clock.now();
    await world.pass(2 * DAY);
    await world.checkAllAnswered(START, endMs);
    const names = world.started.map(
      ({ request }) => `${request.plan} ${request.job.kind} ${request.scheduledForMs}`,
    );
    assert.equal(new Set(names).size, names.length, `seed ${seed}: no moment is run twice`);
  }
});
