import assert from "node:assert/strict";
import { test } from "node:test";
import type { MergePlan, Snapshot } from "@comeback/engine";
import { mergeMessage, renderMergePlan } from "../../src/merge/render-merge.ts";

function snapshot(digit: string, time: string): Snapshot {
  return { id: digit.repeat(64), tree: "e".repeat(64), time, paths: ["/srv"], hostname: "nas" };
}

const NEW = snapshot("b", "2026-11-22T04:05:06Z");
const OLD = snapshot("a", "2026-11-21T04:05:06Z");
const PLAN: MergePlan = {
  merged: [NEW, OLD],
  result: {
    time: "2026-11-22T04:05:06.001Z",
    tree: "f".repeat(64),
    paths: ["/a", "/b"],
    hostname: "h",
  },
  forget: true,
  dryRun: true,
};

test("a plan shows the newest first, and what comes out", () => {
  const text = renderMergePlan(PLAN).join("\n");
  assert.ok(text.indexOf("bbbbbbbb") < text.indexOf("aaaaaaaa"), text);
  assert.match(text, /into 0 files of 0 B:\n {2}2026-11-22 .* of h: \/a, \/b\n/);
  assert.match(text, /would save one snapshot made of 2, which would then be removed$/);
  assert.doesNotMatch(renderMergePlan({ ...PLAN, dryRun: false }).join("\n"), /would/);
});

test("its message names what was merged and what came out", () => {
  const dry = JSON.parse(mergeMessage(PLAN, undefined)) as Record<string, unknown>;
  assert.deepEqual(dry["merged"], [NEW.id, OLD.id]);
  assert.deepEqual(
    [dry["dry_run"], dry["merged_removed"], dry["snapshot_id"]],
    [true, false, undefined],
  );
  const saved = { ...PLAN.result, id: "9".repeat(64) };
  const done = JSON.parse(mergeMessage({ ...PLAN, dryRun: false }, saved)) as Record<
    string,
    unknown
  >;
  assert.deepEqual([done["snapshot_id"], done["merged_removed"]], [saved.id, true]);
});
