import assert from "node:assert/strict";
import { test } from "node:test";
import type { CheckProgress, CheckResult } from "@comeback/engine";
import {
  checkErrorMessage,
  checkSummaryMessage,
  renderCheckProblem,
  renderCheckSummary,
  renderDamage,
} from "../../src/check/check-report.ts";
import { renderCheckLogLine, renderCheckStatus } from "../../src/check/check-view.ts";
import { PLAIN } from "../../src/terminal/palette.ts";

const MiB = 1024 * 1024;
const COUNTS: CheckResult["counts"] = {
  indexFiles: 1,
  snapshots: 2,
  packs: 12,
  blobs: 2_900,
  packBytes: 200 * MiB,
  trees: 40,
  packsRead: 12,
  bytesRead: 200 * MiB,
  blobsVerified: 2_900,
};
const FINE: CheckResult = {
  ok: true,
  problems: [],
  problemCount: 0,
  hints: [],
  counts: COUNTS,
  affected: [],
  affectedIsComplete: true,
  unchecked: [],
  damagedPacks: [],
};
const PROBLEM: CheckResult["problems"][number] = {
  kind: "pack",
  message: "pack 0123456789 is damaged",
  details: ["blob abcdef does not hold"],
};

test("a running check shows its phase", () => {
  const progress: CheckProgress = {
    phase: "trees",
    packsDone: 5,
    packsTotal: 12,
    bytesDone: 100 * MiB,
    bytesTotal: 200 * MiB,
    problems: 1,
  };
  const status = { progress, elapsedMs: 1_000, bytesPerSecond: 100 * MiB, remainingMs: 1_000 };
  assert.deepEqual(renderCheckStatus(status, 77), [
    "[========>----------]  50%  5 / 12 packs  100 MiB / 200 MiB",
    "0:01  0:01 left  100 MiB/s  1 problem  reading and following the trees",
  ]);
  assert.equal(
    renderCheckLogLine(status),
    "[0:01] reading and following the trees, 5 of 12 packs, 100 MiB of 200 MiB, 100 MiB/s, 1 problem",
  );
});

test("a check without errors says what it covered", () => {
  assert.deepEqual(renderCheckSummary(FINE, 2_000, PLAIN), [
    "",
    "2 snapshots, 40 folder trees, 12 packs with 2,900 blobs (200 MiB)",
    "12 packs read in full, 2,900 blobs verified",
    "",
    "no errors were found in 2.0 s",
  ]);
  const unread = { ...FINE, counts: { ...COUNTS, packsRead: 0 } };
  assert.match(renderCheckSummary(unread, 1, PLAIN).join("\n"), /--read-data reads them all/);
});

test("damage is named, with the files that it reaches", () => {
  const broken: CheckResult = {
    ...FINE,
    ok: false,
    problems: [PROBLEM],
    problemCount: 1,
    damagedPacks: ["0123456789".repeat(6)],
    affected: [{ snapshotId: "60188c44".repeat(8), path: "/home/me/fi\u001ble" }],
  };
  assert.match(renderCheckSummary(broken, 1, PLAIN).join("\n"), /1 error found/);
  assert.deepEqual(renderDamage(broken), [
    "",
    "these can no longer be restored whole:",
    "  snapshot 60188c44: /home/me/fi\\x1ble",
  ]);
  assert.equal(
    renderCheckProblem(PROBLEM, PLAIN),
    "error: pack 0123456789 is damaged\n  blob abcdef does not hold",
  );
  assert.deepEqual(JSON.parse(checkErrorMessage(PROBLEM)), {
    message_type: "error",
    message: "pack 0123456789 is damaged: blob abcdef does not hold",
  });
  const summary = JSON.parse(checkSummaryMessage(broken)) as Record<string, unknown>;
  assert.equal(summary["num_errors"], 1);
  assert.deepEqual(summary["broken_packs"], broken.damagedPacks);
  assert.equal(summary["suggest_repair_index"], false);
});

test("what could not be looked at is said, too", () => {
  const blind = { ...FINE, ok: false, unchecked: ["packs" as const, "data" as const] };
  assert.match(renderDamage(blind).join("\n"), /not checked.*: packs, data/);
});

test("what was read so far is told to a person and to a program", () => {
  const coverage = {
    packs: 12,
    bytes: 200 * MiB,
    verifiedPacks: 9,
    verifiedBytes: 150 * MiB,
    recentPacks: 6,
    recentBytes: 100 * MiB,
  };
  const text = renderCheckSummary({ ...FINE, coverage }, 1_000, PLAIN).join("\n");
  const line = "read on this machine so far: 9 of 12 packs (75% of the bytes, 50% within the time)";
  assert.ok(text.includes(`${line}\n`), text);
  assert.deepEqual(JSON.parse(checkSummaryMessage({ ...FINE, coverage })).coverage, {
    packs: 12,
    bytes: 200 * MiB,
    verified_packs: 9,
    verified_bytes: 150 * MiB,
    recent_packs: 6,
    recent_bytes: 100 * MiB,
  });
  const oldestMs = Date.UTC(2026, 0, 2, 3, 4, 5);
  const whole = { packs: 1, bytes: 5, verifiedPacks: 1, verifiedBytes: 5, oldestMs };
  const message = JSON.parse(checkSummaryMessage({ ...FINE, coverage: whole }));
  assert.equal(message.coverage.oldest, "2026-01-02T03:04:05.000Z");
  const all = renderCheckSummary({ ...FINE, coverage: whole }, 1_000, PLAIN).join("\n");
  assert.match(all, /1 of 1 pack \(100% of the bytes\), the oldest reading from 2026-01-0/);
  assert.doesNotMatch(renderCheckSummary(FINE, 1_000, PLAIN).join("\n"), /so far/);
});
