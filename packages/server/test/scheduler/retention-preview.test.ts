import assert from "node:assert/strict";
import { test } from "node:test";
import {
  configuration as schema,
  planRetention,
  readSnapshotTags,
  retentionRules,
  selectForCopy,
  simulateRetention,
  snapshotTags,
} from "@comeback/operations";
import { configurationTimings } from "../../src/scheduler/configuration-lanes.ts";
import { ScheduleWorld, type Started } from "./schedule-world.ts";

// A snapshot belongs to the day that this machine's clocks show.
process.env["TZ"] = "UTC";
const DAY_MS = 24 * 3_600_000;
const START = Date.UTC(2026, 0, 1, 11);
const END = START + 365 * DAY_MS;
/** In this time of day, in winter and in summer of the plan's zone, the copy may run. */
const WINDOW = { text: "mon-fri 22:00-05:00", zone: "Europe/Vienna" };

const configuration = schema.parse({
  timezone: WINDOW.zone,
  destinations: {
    nas: { repo: "/mnt/nas", password: { env: "X" } },
    far: { repo: "/mnt/far", password: { env: "X" } },
    vault: { repo: "/mnt/vault", password: { env: "X" } },
  },
  plans: {
    shop: {
      sources: { a: { files: "/srv/a" } },
      to: "nas",
      keep: { last: 3, daily: 5 },
      schedule: {
        incremental: "daily 00:05,06:30,12:30,18:00",
        differential: "weekly wed 00:05",
        full: "monthly 1 12:30",
        jitter: "50m",
        quiet: ["12:00-13:30", "sun 05:00-09:00", "sat 23:30-00:30"],
      },
      copies: [
        { from: "nas", to: "far", keep: { daily: 4, weekly: 6 }, window: WINDOW.text },
        { from: "far", to: "vault", keep: { monthly: 5 }, schedule: "weekly sat 23:45" },
      ],
    },
  },
});
const plan = configuration.plans["shop"]!;
type Snapshot = Parameters<typeof selectForCopy>[0][number];

/** Whether a copy's window is open, by the clock on a wall there. */
function isOpen(atMs: number): boolean {
  const parts = { weekday: "short", hour: "2-digit", hourCycle: "h23" } as const;
  const text = new Intl.DateTimeFormat("en-GB", { ...parts, timeZone: WINDOW.zone }).format(atMs);
  const [day = "", hour = ""] = text.split(", ").length > 1 ? text.split(", ") : text.split(" ");
  const isWorkday = (name: string): boolean => !["Sat", "Sun"].includes(name);
  const yesterday = new Intl.DateTimeFormat("en-GB", {
    weekday: "short",
    timeZone: WINDOW.zone,
  }).format(atMs - DAY_MS);
  return Number(hour) >= 22 ? isWorkday(day) : Number(hour) < 5 && isWorkday(yesterday);
}

/** What is there after the runs that were really started, each with the rules of a run. */
function liveThrough(started: readonly Started[]): Map<string, Snapshot[]> {
  const places = new Map<string, Snapshot[]>([
    ["nas", []],
    ["far", []],
    ["vault", []],
  ]);
  const there = (name: string): Snapshot[] => places.get(name)!;
  let made = 0;
  const add = (
    name: string,
    snapshot: Pick<Snapshot, "time" | "tree" | "paths" | "tags" | "original">,
  ): void => {
    there(name).push({ ...snapshot, id: String(++made).padStart(64, "0") });
  };
  const awaiting = (to: string, nowMs: number): Snapshot[] => {
    const { from, only, keep } = plan.copies.find((copy) => copy.to === to)!;
    const wish = { only, keep, nowMs, timezone: WINDOW.zone };
    return selectForCopy(there(from), there(to), wish);
  };
  for (const { request, atMs } of started) {
    const { job, type = "full" } = request;
    if (job.kind === "backup") {
      const backupType = there("nas").length === 0 ? "full" : type;
      const tags = snapshotTags({ plan: "shop", source: "a", backupType, runId: String(atMs) });
      add("nas", { time: new Date(atMs).toISOString(), tree: "", paths: [], tags });
    }
    const due = job.kind === "copy" ? [job.to] : isOpen(atMs) ? ["far"] : [];
    for (const to of due) {
      for (const one of awaiting(to, atMs)) add(to, { ...one, original: one.original ?? one.id });
    }
    for (const rule of retentionRules(configuration, plan)) {
      const next = plan.copies.find(({ from }) => from === rule.destination);
      const waiting = next === undefined ? [] : awaiting(next.to, atMs);
      const { groups } = planRetention({
        ...rule,
        snapshots: there(rule.destination),
        awaitingCopy: new Set(waiting.map(({ id }) => id)),
        guarded: new Set(),
        nowMs: atMs,
      });
      const doomed = new Set(groups.flatMap(({ remove }) => remove));
      const left = there(rule.destination).filter((snapshot) => !doomed.has(snapshot));
      places.set(rule.destination, left);
    }
  }
  return places;
}

test("the preview is what a year of the daemon's starts leaves", async () => {
  const world = new ScheduleWorld(START, configurationTimings(configuration), DAY_MS);
  world.nextRun = () => ({ ms: 1, outcome: "ok" });
  await world.up();
  await world.pass(END - START);
  world.down();
  assert.deepEqual(await world.missedList(), []);
  const places = liveThrough(world.started);
  const simulation = simulateRetention({
    configuration,
    name: "shop",
    plan,
    fromMs: START,
    untilMs: END,
  });
  const backups = world.started.filter(({ request }) => request.job.kind === "backup");
  assert.equal(simulation.runs, backups.length);
  assert.ok(backups.length > 1_300, `${backups.length} backups`);
  for (const { destination, kept } of simulation.destinations) {
    const real = (places.get(destination) ?? []).map(({ time, tags }) => ({
      time,
      type: readSnapshotTags(tags)?.backupType,
    }));
    assert.ok(real.length > 4, `${destination} has ${real.length}`);
    assert.deepEqual(
      kept.map(({ atMs, type }) => ({ time: new Date(atMs).toISOString(), type })).toReversed(),
      real.toSorted((a, b) => (a.time < b.time ? -1 : 1)),
      destination,
    );
  }
});
