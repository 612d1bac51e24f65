import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunRecord, SnapshotRecord, StageRecord } from "@comeback/core";
import { notificationOfRun } from "@comeback/operations";

const RUN: RunRecord = {
  id: "20261128-020000-4f2a",
  plan: "shop",
  host: "web1",
  trigger: "schedule",
  backupType: "incremental",
  startedAtMs: 1_000_000,
  endedAtMs: 1_192_400,
  outcome: "ok",
  processId: 1,
};

function stage(given: Partial<StageRecord>): StageRecord {
  const base = { runId: RUN.id, sequence: 0, startedAtMs: 0, endedAtMs: 1, attempts: 1 };
  return { ...base, stage: "capture", outcome: "ok", ...given };
}

function snapshot(given: Partial<SnapshotRecord>): SnapshotRecord {
  return {
    runId: RUN.id,
    plan: "shop",
    source: "content",
    destination: "nas",
    snapshotId: "a",
    backupType: "incremental",
    atMs: 0,
    files: 10,
    sizeBytes: 1000,
    addedBytes: 100,
    storedBytes: 40,
    items: [],
    outcome: "ok",
    ...given,
  };
}

function told(
  run: Partial<RunRecord>,
  given: { readonly stages?: StageRecord[]; readonly snapshots?: SnapshotRecord[] } = {},
): ReturnType<typeof notificationOfRun> {
  const { stages = [], snapshots = [] } = given;
  return notificationOfRun({ ...RUN, ...run }, stages, { nowMs: 5, snapshots });
}

test("a start is one line", () => {
  const start = told({ endedAtMs: undefined, outcome: undefined });
  assert.equal(`${start.event} ${start.severity}`, "run.started info");
  assert.equal(start.title, "shop started on web1");
  assert.deepEqual(start.lines, []);
});

test("a good end says what went where, how long it took, and how much of it was new", () => {
  const snapshots = [
    snapshot({}),
    snapshot({ destination: "cloud", addedBytes: 90 }),
    snapshot({ source: "db", addedBytes: 7 }),
    snapshot({ source: "db", destination: "cloud", addedBytes: 7 }),
    snapshot({ source: "db", destination: "archive", copiedFrom: "a", addedBytes: 7 }),
    snapshot({ source: "comeback-kit", addedBytes: 5000 }),
  ];
  const { lines, facts, severity } = told({}, { snapshots });
  assert.equal(severity, "info");
  assert.deepEqual(lines, [
    "saved content, db to nas, cloud",
    "copied 1 snapshot to archive",
    "see `comeback history 20261128-020000-4f2a`",
  ]);
  assert.equal(facts["seconds"], 192);
  assert.equal(facts["newBytes"], 107, "the same data is new in each destination");
  assert.equal(facts["storedBytes"], 200);
  assert.equal(facts["cause"], undefined);
});

test("a failure begins with what failed and what to do, then the rest", () => {
  const stages = [
    stage({ stage: "verify", subject: "nas", outcome: "warning", message: "not sampled" }),
    stage({
      subject: "db",
      outcome: "failed",
      message: "the server does not answer: refused; start it",
      errorCode: "source.unavailable",
    }),
  ];
  const message = "db: the server does not answer: refused; start it";
  const { lines, title, severity, facts } = told(
    { outcome: "failed", message },
    { stages, snapshots: [snapshot({})] },
  );
  assert.equal(title, "shop failed on web1");
  assert.equal(severity, "error");
  assert.deepEqual(lines.slice(0, 3), [
    "capture db: the server does not answer: refused; start it",
    "verify nas: not sampled",
    "saved content to nas",
  ]);
  assert.equal(facts["cause"], "capture/db/source.unavailable, verify/nas/warning");
});

test("a reason that no stage has is told, too: a hook, a word of the catalog", () => {
  const stages = [stage({ outcome: "warning", subject: "db", message: "shrank" })];
  const { lines } = told({ outcome: "warning", message: "hook mail: failed" }, { stages });
  assert.deepEqual(lines.slice(0, 2), ["hook mail: failed", "capture db: shrank"]);
  const skipped = told({ outcome: "skipped", message: "hook said: nothing to do" });
  assert.equal(skipped.lines[0], "hook said: nothing to do");
  assert.equal(skipped.severity, "info");
});

test("many failures are named up to a bound, and counted", () => {
  const stages = Array.from({ length: 30 }, (_, i) =>
    stage({ subject: `s${i}`, outcome: "failed", message: "gone" }),
  );
  const { lines, facts } = told({ outcome: "failed", message: "s0: gone" }, { stages });
  assert.equal(lines.length, 14);
  assert.equal(lines.at(-2), "and 18 more");
  assert.ok(String(facts["cause"]).length <= 300);
});
