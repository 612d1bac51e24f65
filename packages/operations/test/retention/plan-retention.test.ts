import assert from "node:assert/strict";
import { test } from "node:test";
import { type BackupType, ComebackError } from "@comeback/core";
import type { Snapshot } from "@comeback/engine";
import { planRetention, type RetentionOptions } from "../../src/retention/plan-retention.ts";
import { snapshotTags } from "../../src/runs/snapshot-tags.ts";

function snapshot(
  day: number,
  source = "files",
  more: readonly string[] = [],
  type: BackupType = "incremental",
): Snapshot {
  const tags = snapshotTags({ plan: "shop", source, backupType: type, runId: `run-${day}` });
  return {
    id: `${source}-${String(day).padStart(2, "0")}`.padEnd(64, "0"),
    time: `2026-02-${String(day).padStart(2, "0")}T02:00:00Z`,
    tree: "0".repeat(64),
    paths: ["/srv"],
    tags: [...tags, ...more],
  };
}

function plan(snapshots: readonly Snapshot[], given: Partial<RetentionOptions> = {}) {
  return planRetention({
    destination: "nas",
    keep: { last: 2 },
    snapshots,
    awaitingCopy: new Set(),
    guarded: new Set(),
    nowMs: Date.parse("2026-03-01T00:00:00Z"),
    ...given,
  });
}

function removed(...args: Parameters<typeof plan>): string[] {
  return plan(...args).groups.flatMap(({ remove }) =>
    remove.map(({ id }) => id.replace(/0+$/, "")),
  );
}

const five = [1, 2, 3, 4, 5].map((day) => snapshot(day));

test("each source is kept by itself", () => {
  const database = [6, 7, 8].map((day) => snapshot(day, "db"));
  assert.deepEqual(removed([...five, ...database]).toSorted(), [
    "db-06",
    "files-01",
    "files-02",
    "files-03",
  ]);
});

test("what is still to be copied stays, and is named", () => {
  const awaitingCopy = new Set([five[1]!.id]);
  assert.deepEqual(removed(five, { awaitingCopy }), ["files-03", "files-01"]);
  const { groups, awaitingCopy: waiting } = plan(five, { awaitingCopy });
  assert.deepEqual(waiting, [five[1]]);
  const kept = groups[0]!.keep.find(({ snapshot: { id } }) => id === five[1]!.id);
  assert.deepEqual(kept?.matches, ["not yet copied"]);
});

test("of a source that is not as it should be, nothing goes; of the others it does", () => {
  const database = [6, 7, 8].map((day) => snapshot(day, "db"));
  const guarded = new Set(["files"]);
  assert.deepEqual(removed([...five, ...database], { guarded }), ["db-06"]);
});

test("a held snapshot stays whatever the rules say", () => {
  const held = snapshot(1, "files", ["comeback:hold"]);
  const ids = removed([held, ...five.slice(1)]);
  assert.ok(!ids.includes("files-01"), ids.join(" "));
});

test("rules that would leave nothing are refused", () => {
  assert.throws(
    () => plan(five, { keep: { within: { years: 0, months: 0, days: 0, hours: 0 } } }),
    ComebackError,
  );
});

test("the full snapshot that differentials are still compared with stays, and no older one", () => {
  const fulls = [1, 2].map((day) => snapshot(day, "files", [], "full"));
  const all = [...fulls, ...five.slice(2)];
  assert.deepEqual(removed(all), ["files-03", "files-02", "files-01"]);
  assert.deepEqual(removed(all, { keepsLastFull: true }), ["files-03", "files-01"]);
});
