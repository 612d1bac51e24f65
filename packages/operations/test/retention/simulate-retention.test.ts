import assert from "node:assert/strict";
import { test } from "node:test";
import { ComebackError } from "@comeback/core";
import { configuration as schema } from "../../src/configuration/schema/configuration.ts";
import {
  simulateRetention,
  type SimulatedDestination,
} from "../../src/retention/simulate-retention.ts";
import { snapshotTags } from "../../src/runs/snapshot-tags.ts";

// A snapshot belongs to the day that this machine's clocks show.
process.env["TZ"] = "UTC";
const FROM = Date.UTC(2026, 0, 1);
const DAY_MS = 24 * 3_600_000;

type Json = Readonly<Record<string, unknown>>;

function simulate(plan: Json, { days = 90, existing = new Map(), zone = "UTC" } = {}) {
  const names = ["nas", "far", "mirror"];
  const configuration = schema.parse({
    timezone: zone,
    destinations: Object.fromEntries(
      names.map((name) => [
        name,
        {
          repo: `/mnt/${name}`,
          password: { env: "X" },
          ...(name === "mirror" ? { replica: { rsync: "far:/srv" } } : {}),
        },
      ]),
    ),
    plans: {
      shop: { sources: { a: { files: "/srv/a" }, b: { files: "/srv/b" } }, to: "nas", ...plan },
    },
  });
  return simulateRetention({
    configuration,
    name: "shop",
    plan: configuration.plans["shop"]!,
    fromMs: FROM,
    untilMs: FROM + days * DAY_MS,
    existing,
  });
}

function days({ kept }: SimulatedDestination): string[] {
  return kept.map(({ atMs }) => new Date(atMs).toISOString().slice(0, 10));
}

test("a quarter of daily runs, by the rules of each place", () => {
  const { runs, destinations, replicas } = simulate({
    schedule: "daily 02:00",
    keep: { last: 2, weekly: 3 },
    copies: [
      { from: "nas", to: "far", keep: { monthly: 12 } },
      { from: "nas", to: "mirror" },
    ],
  });
  assert.equal(runs, 90);
  assert.deepEqual(replicas, [{ destination: "mirror", from: "nas" }]);
  const [nas, far] = destinations;
  assert.deepEqual([nas?.destination, far?.destination, destinations.length], ["nas", "far", 2]);
  assert.deepEqual(nas?.sources, ["a", "b"]);
  assert.deepEqual(days(nas), ["2026-03-31", "2026-03-30", "2026-03-29", "2026-03-22"]);
  assert.deepEqual(nas?.kept[0]?.reasons, ["last snapshot", "weekly snapshot"]);
  assert.deepEqual(days(far!), ["2026-03-31", "2026-02-28", "2026-01-31", "2026-01-01"]);
  assert.deepEqual(far?.kept.at(-1)?.reasons, ["oldest monthly snapshot"]);
  assert.deepEqual(nas?.weeks[0], { week: "2025-12-29", made: 4, removed: 1, kept: 3 });
  const made = nas.weeks.reduce((sum, week) => sum + week.made, 0);
  const removed = nas.weeks.reduce((sum, week) => sum + week.removed, 0);
  assert.deepEqual([made, made - removed], [90, nas.kept.length]);
});

test("types come as scheduled, the one that reads more first; filters hold", () => {
  const { runs, destinations } = simulate({
    schedule: {
      full: "monthly 1 02:00",
      differential: "weekly sun 02:00",
      incremental: "daily 02:00",
    },
    copies: [{ from: "nas", to: "far", only: { types: "full", sources: "a" } }],
  });
  assert.equal(runs, 90);
  const far = destinations.filter(({ destination }) => destination === "far");
  assert.deepEqual(
    far.map(({ sources, kept }) => [sources, kept.map(({ type }) => type)]),
    [
      [["a"], ["full", "full", "full"]],
      [["b"], []],
    ],
  );
  const [nas] = destinations;
  const count = (type: string): number => nas!.kept.filter((one) => one.type === type).length;
  assert.deepEqual([count("full"), count("differential"), count("incremental")], [3, 11, 76]);
  assert.equal(nas?.hasRules, false);
});

test("what waits for a copy of another schedule stays until that was made", () => {
  const { destinations } = simulate(
    {
      schedule: "daily 02:00",
      keep: { last: 1 },
      copies: [{ from: "nas", to: "far", schedule: "weekly sun 03:00" }],
    },
    { days: 13 },
  );
  const [nas, far] = destinations;
  // Sunday the 11th was copied; what was made since then waits.
  assert.deepEqual(days(far!).slice(0, 2), ["2026-01-11", "2026-01-10"]);
  assert.deepEqual(days(nas!), ["2026-01-13", "2026-01-12"]);
  assert.deepEqual(nas?.kept.at(-1)?.reasons, ["not yet copied"]);
});

test("what is there already ages with the rest", () => {
  const there = [1, 2, 3].map((day) => ({
    id: String(day).repeat(64).slice(0, 64),
    time: `2025-12-0${day}T02:00:00Z`,
    tree: "",
    paths: [],
    tags: snapshotTags({ plan: "shop", source: "a", type: "full", runId: `run-${day}` }),
  }));
  const { destinations } = simulate(
    { schedule: "daily 02:00", keep: { last: 1, monthly: 2 } },
    { days: 5, existing: new Map([["nas", there]]) },
  );
  const [a, b] = destinations;
  assert.deepEqual([a?.sources, b?.sources], [["a"], ["b"]]);
  assert.deepEqual(
    a?.kept.map(({ isThere, type }) => [isThere, type]),
    [
      [false, "incremental"],
      [true, "full"],
    ],
  );
  assert.deepEqual(days(a), ["2026-01-05", "2025-12-03"]);
});

test("too long a preview is refused", () => {
  assert.throws(
    () => simulate({ schedule: "hourly" }, { days: 800 }),
    (error) => error instanceof ComebackError && error.code === "option.invalid",
  );
});
