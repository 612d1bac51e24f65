import assert from "node:assert/strict";
import { test } from "node:test";
import type { CopyProgress, CopyResult, Snapshot } from "@comeback/engine";
import { redactLocation } from "../../src/opening/redact-location.ts";
import {
  destinationMessage,
  renderDestination,
  SeveralView,
} from "../../src/backup/several-report.ts";
import {
  copySummaryMessage,
  outcomeMessage,
  renderCopySummary,
  renderOutcome,
} from "../../src/copy/copy-report.ts";
import {
  copyStatusMessage,
  renderCopyLogLine,
  renderCopyStatus,
} from "../../src/copy/copy-view.ts";
import { PLAIN } from "../../src/terminal/palette.ts";

const MiB = 1024 * 1024;
const PROGRESS: CopyProgress = {
  phase: "blobs",
  snapshotsDone: 3,
  snapshotsTotal: 12,
  blobsDone: 1_000,
  blobsTotal: 4_000,
  bytesDone: 50 * MiB,
  bytesTotal: 200 * MiB,
  bytesStored: 48 * MiB,
  problems: 1,
};
const STATUS = {
  progress: PROGRESS,
  elapsedMs: 1_000,
  bytesPerSecond: 50 * MiB,
  remainingMs: 3_000,
};
const SNAPSHOT: Snapshot = {
  id: "a".repeat(64),
  tree: "b".repeat(64),
  time: "2026-01-02T03:04:05Z",
  hostname: "host",
  paths: ["/home/me\u001b"],
};
const COPY: Snapshot = { ...SNAPSHOT, id: "c".repeat(64), original: SNAPSHOT.id };
const RESULT: CopyResult = {
  outcomes: [],
  copied: 2,
  skipped: 1,
  failed: 1,
  dataBlobs: 1_234,
  treeBlobs: 56,
  bytesRead: 210 * MiB,
  bytesStored: 200 * MiB,
  problems: [],
  problemCount: 0,
  sameChunker: true,
};

test("a running copy shows how far it is and how long it will take", () => {
  assert.deepEqual(renderCopyStatus(STATUS, 77), [
    "[===>---------------]  25%  3 / 12 snapshots  50.0 MiB / 200 MiB",
    "0:01  0:03 left  50.0 MiB/s  48.0 MiB stored  1 problem",
  ]);
  assert.equal(
    renderCopyLogLine(STATUS),
    "[0:01] 3 of 12 snapshots, 50.0 MiB of 200 MiB, 50.0 MiB/s, 1 problem, 0:03 left",
  );
  assert.equal(copyStatusMessage(STATUS)["percent_done"], 0.25);
  const reading = {
    ...STATUS,
    progress: { ...PROGRESS, phase: "trees" as const },
    remainingMs: undefined,
  };
  assert.match(renderCopyStatus(reading, 77).join("\n"), /200 MiB found\n.*reading the trees/);
  assert.equal("percent_done" in copyStatusMessage(reading), false);
});

test("every snapshot is told by what became of it, and names cannot drive the terminal", () => {
  const line = (action: "copied" | "skipped" | "planned" | "failed", copy?: Snapshot): string =>
    renderOutcome({ snapshot: SNAPSHOT, action, ...(copy === undefined ? {} : { copy }) }, PLAIN);
  assert.match(line("copied", COPY), /^snapshot aaaaaaaa from 2026-01-0\d .*: saved as cccccccc$/);
  assert.match(line("skipped", COPY), /there already as cccccccc$/);
  assert.match(line("planned"), /would be copied$/);
  assert.match(line("failed"), /^error: .*not copied/);
  assert.doesNotMatch(line("copied", COPY), /\u001b/);
  const message = outcomeMessage({ snapshot: SNAPSHOT, action: "copied", copy: COPY });
  assert.equal((JSON.parse(message) as Record<string, unknown>)["snapshot_id"], COPY.id);
});

test("the end of a copy counts what was copied, was there, and was not possible", () => {
  const finished = { result: RESULT, elapsedMs: 2_000, dryRun: false, wantedBytes: 200 * MiB };
  assert.deepEqual(renderCopySummary(finished), [
    "",
    "copied 2 snapshots, 1 there already, 1 not possible",
    "stored 200 MiB in 2.0 s (100 MiB/s): 1,234 blobs of data, 56 of folder trees",
  ]);
  const planned = { snapshot: SNAPSHOT, action: "planned" as const };
  const dry = { ...RESULT, outcomes: [planned], copied: 0, failed: 0 };
  assert.match(
    renderCopySummary({ ...finished, result: dry, dryRun: true }).join("\n"),
    /nothing was written: 1 snapshot to copy, 1 there already; about 200 MiB are missing/,
  );
  const message = JSON.parse(copySummaryMessage(finished)) as Record<string, unknown>;
  assert.deepEqual(
    [message["snapshots_copied"], message["snapshots_skipped"], message["snapshots_failed"]],
    [2, 1, 1],
  );
});

test("each destination of a backup has a line, without secrets", () => {
  const label = redactLocation("rest:https://me:secret@host/repository");
  assert.equal(label, "rest:https://***@host/repository");
  assert.equal(
    renderDestination({ ok: true, label, snapshot: COPY, copied: RESULT }, PLAIN, 80),
    `also saved to ${label}: snapshot cccccccc, it was there`,
  );
  const report = {
    exitCode: 12,
    code: "key.wrong-password",
    what: "the password does not open this repository",
    why: undefined,
    next: "check it",
  };
  const failed = { ok: false, label: "/b", report } as const;
  assert.match(renderDestination(failed, PLAIN, 80), /^error: not saved to \/b: the password/);
  assert.deepEqual(JSON.parse(destinationMessage(failed)), {
    message_type: "destination",
    repository: "/b",
    ok: false,
    exit_code: 12,
    code: "key.wrong-password",
    message: "the password does not open this repository",
  });
});

test("copies that run side by side are shown side by side", () => {
  let now = 0;
  const view = new SeveralView(() => now);
  view.add("/b", PROGRESS);
  view.add("/c", { ...PROGRESS, bytesDone: 200 * MiB });
  assert.deepEqual(view.lines(77), [
    "[===>---------------]  25%  50.0 MiB / 200 MiB  /b",
    "[===================] 100%  200 MiB / 200 MiB  /c",
  ]);
  view.remove("/c");
  now = 61_000;
  assert.equal(view.logLine(), "[1:01] copying, /b: 50.0 MiB of 200 MiB");
});
