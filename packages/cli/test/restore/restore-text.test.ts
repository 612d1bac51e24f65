import assert from "node:assert/strict";
import { test } from "node:test";
import { PatternList } from "@comeback/core";
import type { RestoreProgress } from "@comeback/engine";
import {
  renderRestoreProblems,
  renderRestoreSummary,
  restoreSummaryMessage,
} from "../../src/restore/restore-summary.ts";
import { renderRestoreLogLine, renderRestoreStatus } from "../../src/restore/restore-view.ts";
import { selectAllBut, selectOnly } from "../../src/restore/select-entries.ts";
import { PLAIN } from "../../src/terminal/palette.ts";

const MiB = 1024 * 1024;
const PROGRESS: RestoreProgress = {
  stage: "restore",
  filesDone: 40,
  filesTotal: 100,
  filesSkipped: 3,
  filesDeleted: 0,
  bytesDone: 30 * MiB,
  bytesTotal: 60 * MiB,
  bytesSkipped: 1 * MiB,
  bytesWritten: 20 * MiB,
  filesVerified: 0,
  bytesVerified: 0,
  totalsKnown: true,
  problems: 1,
  currentFile: "/home/me/file",
};
const STATUS = { elapsedMs: 2_000, bytesPerSecond: 15 * MiB, remainingMs: 2_000 };

test("a restore shows how far it is, and then how far the verification is", () => {
  assert.deepEqual(renderRestoreStatus({ progress: PROGRESS, ...STATUS }, 77), [
    "[========>----------]  50%  40 / 100 entries  30.0 MiB / 60.0 MiB",
    "0:02  0:02 left  15.0 MiB/s  3 skipped  1 problem  /home/me/file",
  ]);
  const verifying = {
    ...PROGRESS,
    stage: "verify" as const,
    bytesVerified: 6 * MiB,
    filesVerified: 9,
  };
  const [first, second] = renderRestoreStatus({ progress: verifying, ...STATUS }, 77);
  assert.match(first!, / 10% {2}9 \/ 100 entries {2}6\.00 MiB \/ 60\.0 MiB$/);
  assert.match(second!, /verifying/);
  assert.equal(
    renderRestoreLogLine({ progress: verifying, ...STATUS }),
    "[0:02] 9 of 100 entries verified, 6.00 MiB of 60.0 MiB, 15.0 MiB/s, 1 problem",
  );
});

test("the summary says what came back, what was left, and what was not as saved", () => {
  const { stage: _stage, currentFile: _file, ...counts } = PROGRESS;
  const finished = {
    result: {
      ...counts,
      filesDeleted: 2,
      treeId: "",
      problemsKept: [{ path: "/a", during: "write" as const, message: "no space left" }],
    },
    elapsedMs: 2_000,
    dryRun: false,
    verified: false,
    target: "/tmp/back",
  };
  assert.deepEqual(renderRestoreSummary(finished, PLAIN), [
    "",
    "restored 40 entries to /tmp/back: 30.0 MiB in 2.0 s (15.0 MiB/s)",
    "left 3 files as they were (1.00 MiB)",
    "deleted 2 entries that the snapshot does not have",
  ]);
  assert.deepEqual(renderRestoreProblems(finished), [
    "",
    "1 entry was not restored as saved; all others were:",
    "  /a: no space left",
  ]);
  assert.deepEqual(JSON.parse(restoreSummaryMessage(finished)), {
    message_type: "summary",
    seconds_elapsed: 2,
    total_files: 100,
    files_restored: 40,
    files_skipped: 3,
    files_deleted: 2,
    total_bytes: 60 * MiB,
    bytes_restored: 30 * MiB,
    bytes_skipped: 1 * MiB,
  });
});

test("include and exclude mean what they mean to restic", () => {
  const only = selectOnly([new PatternList(["/home/me/*.txt"], { option: "--include" })]);
  assert.deepEqual(only("/home", true), { selected: false, childMayBeSelected: true });
  assert.deepEqual(only("/etc", true), { selected: false, childMayBeSelected: false });
  assert.equal(only("/home/me/a.txt", false).selected, true);
  assert.equal(only("/home/me/a.jpg", false).selected, false);
  const but = selectAllBut([new PatternList(["*.jpg"], { option: "--exclude" })]);
  assert.deepEqual(but("/home", true), { selected: true, childMayBeSelected: true });
  assert.deepEqual(but("/home/x.jpg", true), { selected: false, childMayBeSelected: false });
});
