import assert from "node:assert/strict";
import { test } from "node:test";
import type { BackupProgress, BackupResult } from "@comeback/engine";
import {
  backupSummaryMessage,
  renderBackupProblems,
  renderBackupSummary,
} from "../../src/backup/backup-summary.ts";
import {
  backupStatusMessage,
  BackupView,
  renderBackupLogLine,
  renderBackupStatus,
} from "../../src/backup/backup-view.ts";
import { displayWidth } from "../../src/terminal/display-width.ts";
import { PLAIN } from "../../src/terminal/palette.ts";

const MiB = 1024 * 1024;

function progress(more: Partial<BackupProgress> = {}): BackupProgress {
  return {
    filesDone: 35_360,
    bytesDone: 540 * MiB,
    filesTotal: 78_579,
    bytesTotal: 1200 * MiB,
    totalsKnown: true,
    problems: 0,
    bytesStored: 98.1 * MiB,
    currentFile:
      "/usr/src/linux-source-6.1/drivers/gpu/drm/amd/include/asic_reg/dcn/dcn_3_2_0_sh_mask.h",
    ...more,
  };
}

const STATUS = { elapsedMs: 3_000, bytesPerSecond: 180 * MiB, remainingMs: 4_000 };

test("two lines of 80 columns tell how far and how fast", () => {
  assert.deepEqual(renderBackupStatus({ progress: progress(), ...STATUS }, 78), [
    "[=======>-----------]  45%  35,360 / 78,579 files  540 MiB / 1.17 GiB",
    "0:03  0:04 left  180 MiB/s  98.1 MiB stored  /usr/src/l…cn/dcn_3_2_0_sh_mask.h",
  ]);
});

test("no line is wider than the terminal, whatever the file is called", () => {
  const names = [
    "/大きな/フォルダー/".repeat(20),
    "/\u001b[2J\n".repeat(30),
    "/\xff\xfe".repeat(50),
  ];
  for (const columns of [20, 40, 77, 200]) {
    for (const currentFile of names) {
      const lines = renderBackupStatus({ progress: progress({ currentFile }), ...STATUS }, columns);
      for (const line of lines) {
        assert.ok(displayWidth(line) <= Math.max(columns, 30), line);
        assert.doesNotMatch(line, /\p{Cc}/u);
      }
    }
  }
});

test("before the end is known, none is pretended", () => {
  const early = { progress: progress({ totalsKnown: false }), ...STATUS, remainingMs: undefined };
  const [first = "", second = ""] = renderBackupStatus(early, 77);
  assert.match(first, /\] {2}35,360 files {2}540 MiB$/);
  assert.ok(second.startsWith("0:03  180 MiB/s"));
  assert.equal(backupStatusMessage(early)["total_bytes"], undefined);
  assert.equal(backupStatusMessage(early)["percent_done"], 0);
});

test("a log gets one line", () => {
  assert.equal(
    renderBackupLogLine({ progress: progress({ problems: 2 }), ...STATUS }),
    "[0:03] 35,360 files, 540 MiB done, 45% of 1.17 GiB, 180 MiB/s, 98.1 MiB stored, 2 problems, 0:04 left",
  );
});

test("the view measures rate and rest from what it sees", () => {
  let nowMs = 0;
  const live = progress({ bytesDone: 0 });
  const view = new BackupView(live, () => nowMs);
  view.logLine();
  nowMs = 2_000;
  live.bytesDone = 200 * MiB;
  assert.deepEqual(view.message(), {
    message_type: "status",
    seconds_elapsed: 2,
    seconds_remaining: 10,
    percent_done: 200 / 1200,
    total_files: 78_579,
    files_done: 35_360,
    total_bytes: 1200 * MiB,
    bytes_done: 200 * MiB,
    current_files: [live.currentFile],
  });
});

function result(more: Partial<BackupResult> = {}): BackupResult {
  return {
    snapshot: { id: "60188c44".repeat(8), time: "", tree: "", paths: [] },
    treeId: "",
    summary: {
      backup_start: "2026-11-21T00:48:57Z",
      backup_end: "2026-11-21T00:49:02Z",
      files_new: 12,
      files_changed: 3,
      files_unmodified: 78_564,
      dirs_new: 0,
      dirs_changed: 4,
      dirs_unmodified: 5_000,
      data_blobs: 15,
      tree_blobs: 4,
      data_added: 3 * MiB,
      data_added_packed: 1 * MiB,
      total_files_processed: 78_579,
      total_bytes_processed: 1200 * MiB,
    },
    problems: [],
    problemCount: 0,
    ...more,
  };
}

test("the summary says what was new, changed and stored, and how fast", () => {
  const text = renderBackupSummary({ result: result(), elapsedMs: 5_000, dryRun: false }, PLAIN);
  assert.deepEqual(text, [
    "",
    "snapshot 60188c44 saved: 78,579 files, 1.17 GiB in 5.0 s (240 MiB/s)",
    "",
    "                   new     changed  unmodified",
    "  files             12           3      78,564",
    "  folders            0           4       5,000",
    "",
    "stored 3.00 MiB of new data as 1.00 MiB",
  ]);
});

test("what an interrupted backup had done is told in one line, and in JSON", () => {
  const resumed = { files: 1_234, bytes: 5 * MiB };
  const finished = { result: result({ resumed }), elapsedMs: 5_000, dryRun: false };
  const line = "went on from an interrupted backup: 1,234 files, 5.00 MiB not read again";
  assert.equal(renderBackupSummary(finished, PLAIN).at(-1), line);
  const message = JSON.parse(backupSummaryMessage(finished)) as Record<string, unknown>;
  assert.equal(message["resumed_files"], 1_234);
  assert.equal(message["resumed_bytes"], 5 * MiB);

  const useless = result({ resumed: { files: 0, bytes: 0 } });
  const text = renderBackupSummary({ ...finished, result: useless }, PLAIN);
  assert.doesNotMatch(text.join("\n"), /interrupted/);
  const plain = backupSummaryMessage({ ...finished, result: result() });
  assert.doesNotMatch(plain, /resumed/);
});

test("with -v the summary counts blobs, too", () => {
  const finished = { result: result(), elapsedMs: 5_000, dryRun: false, isVerbose: true };
  const text = renderBackupSummary(finished, PLAIN);
  assert.equal(text.at(-1), "new blobs: 15 of data, 4 of folder trees");
});

test("what could not be read is named, up to a point", () => {
  const problems = Array.from({ length: 12 }, (_, number) => ({
    path: `/file-${number}\u001b[m`,
    during: "open" as const,
    message: "permission denied",
  }));
  const finished = {
    result: result({ problems, problemCount: 40 }),
    elapsedMs: 1_000,
    dryRun: false,
  };
  assert.match(renderBackupSummary(finished, PLAIN)[1] ?? "", /^snapshot .* but not complete:/);
  const lines = renderBackupProblems(finished);
  assert.equal(lines[1], "40 entries were not read completely; everything else is saved:");
  assert.equal(lines[2], "  /file-0\\x1b[m: permission denied");
  assert.equal(lines.at(-1), "  and 30 more");
  assert.equal(lines.length, 13);
});

test("a dry run and an unchanged source have no snapshot", () => {
  const none = { result: result({ snapshot: undefined }), elapsedMs: 1_000 };
  assert.match(renderBackupSummary({ ...none, dryRun: true }, PLAIN)[1]!, /nothing was written/);
  assert.match(renderBackupSummary({ ...none, dryRun: false }, PLAIN)[1]!, /no snapshot was made/);
  const message = JSON.parse(backupSummaryMessage({ ...none, dryRun: true })) as object;
  assert.ok("dry_run" in message && !("snapshot_id" in message));
});
