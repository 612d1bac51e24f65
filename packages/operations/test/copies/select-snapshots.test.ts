import assert from "node:assert/strict";
import { test } from "node:test";
import type { Snapshot } from "@comeback/engine";
import type { CopyWish } from "../../src/copies/select-snapshots.ts";
import { selectForCopy } from "../../src/copies/select-snapshots.ts";
import { snapshotTags } from "../../src/runs/snapshot-tags.ts";

let made = 0;

function snapshot(
  time: string,
  given: { type?: "full" | "incremental"; source?: string; original?: string } = {},
): Snapshot {
  const { type = "incremental", source = "files", original } = given;
  made++;
  return {
    id: String(made).padStart(64, "0"),
    time,
    tree: "0".repeat(64),
    paths: ["/srv"],
    tags: snapshotTags({ plan: "shop", source, backupType: type, runId: `run-${made}` }),
    ...(original === undefined ? {} : { original }),
  };
}

const WISH: CopyWish = {
  only: {},
  keep: undefined,
  nowMs: Date.parse("2026-03-01T00:00:00Z"),
  timezone: "UTC",
};

test("all that is not there yet is copied, and what is there is not", () => {
  const here = [snapshot("2026-01-01T02:00:00Z"), snapshot("2026-01-02T02:00:00Z")];
  const there = [snapshot(here[0]!.time, { original: here[0]!.id })];
  assert.deepEqual(selectForCopy(here, there, WISH), [here[1]]);
});

test("a copy of a copy is known by the first of them", () => {
  const origin = "f".repeat(64);
  const here = [snapshot("2026-01-01T02:00:00Z", { original: origin })];
  const there = [snapshot("2026-01-01T02:00:00Z", { original: origin })];
  assert.deepEqual(selectForCopy(here, there, WISH), []);
});

test("only some types, some sources, and the first of each month", () => {
  const january = [
    snapshot("2026-01-01T02:00:00Z", { type: "full" }),
    snapshot("2026-01-02T02:00:00Z"),
    snapshot("2026-01-01T03:00:00Z", { source: "db", type: "full" }),
  ];
  const february = [
    snapshot("2026-02-03T02:00:00Z"),
    snapshot("2026-02-03T03:00:00Z", { source: "db" }),
  ];
  const here = [...january, ...february];
  const select = (only: CopyWish["only"]): Snapshot[] => selectForCopy(here, [], { ...WISH, only });
  assert.deepEqual(select({ types: ["full"] }), [january[0], january[2]]);
  assert.deepEqual(select({ sources: ["db"] }), [january[2], february[1]]);
  assert.deepEqual(
    new Set(select({ period: "monthly" })),
    new Set([january[0], january[2], ...february]),
  );
});

test("months begin when they begin in the plan's zone", () => {
  const here = [snapshot("2026-01-31T22:30:00Z"), snapshot("2026-01-31T23:30:00Z")];
  const select = (timezone: string): Snapshot[] =>
    selectForCopy(here, [], { ...WISH, only: { period: "monthly" }, timezone });
  assert.deepEqual(select("UTC"), [here[0]]);
  assert.deepEqual(select("Europe/Vienna"), here);
});

test("what the target has removed, or would remove at once, does not come again", () => {
  const days = Array.from({ length: 10 }, (_, day) =>
    snapshot(`2026-02-${String(day + 1).padStart(2, "0")}T02:00:00Z`),
  );
  const keep = { last: 3 };
  assert.deepEqual(selectForCopy(days, [], { ...WISH, keep }), days.slice(-3));
  const there = days.slice(-3).map(({ id, time }) => snapshot(time, { original: id }));
  assert.deepEqual(selectForCopy(days, there, { ...WISH, keep }), []);
});
