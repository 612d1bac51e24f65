import assert from "node:assert/strict";
import { test } from "node:test";
import type { RewritePlan, Snapshot } from "@comeback/engine";
import {
  renderRewriteEnd,
  renderRewritePlan,
  rewriteMessage,
} from "../../src/rewrite/render-rewrite.ts";
import { RewriteView } from "../../src/rewrite/rewrite-view.ts";

function snapshot(digit: string): Snapshot {
  const time = "2026-11-21T04:05:06Z";
  return { id: digit.repeat(64), tree: "e".repeat(64), time, paths: ["/srv"], hostname: "nas" };
}

const PLAN: RewritePlan = {
  items: [
    { snapshot: snapshot("a"), changes: { tree: "f".repeat(64), original: "a" }, excluded: 1234 },
    {
      snapshot: snapshot("b"),
      changes: { hostname: "new", time: "2026-01-01T00:00:00Z" },
      excluded: 0,
    },
  ],
  unchanged: [snapshot("c")],
  failed: [{ snapshot: snapshot("d"), message: "it is held" }],
  forget: true,
  dryRun: true,
};

test("a plan says of each snapshot what becomes of it", () => {
  const text = renderRewritePlan(PLAN).join("\n");
  assert.match(text, /snapshot aaaaaaaa .*\n {2}leaves out 1,234 entries\n/);
  assert.match(text, /snapshot bbbbbbbb .*\n {2}host is new\n {2}time is 2026-01-01 /);
  assert.match(text, /snapshot dddddddd .*\n {2}stays as it is: it is held$/);
});

test("the end says what was done, or would be", () => {
  const end = "2 snapshots would be rewritten, the old ones would be removed, 1 unchanged";
  assert.equal(renderRewriteEnd(PLAN), end);
  const done = { ...PLAN, dryRun: false, forget: false, unchanged: [] };
  assert.equal(renderRewriteEnd(done), "2 snapshots rewritten");
  const nothing = { ...PLAN, items: [], dryRun: false };
  assert.equal(renderRewriteEnd(nothing), "0 snapshots rewritten, 1 unchanged");
});

test("its message names old and new ids", () => {
  const dry = JSON.parse(rewriteMessage(PLAN, new Map())) as Record<string, unknown>;
  assert.deepEqual(dry, {
    message_type: "summary",
    dry_run: true,
    rewritten: [
      {
        old_snapshot_id: "a".repeat(64),
        tree: "f".repeat(64),
        excluded: 1234,
        old_removed: false,
      },
      { old_snapshot_id: "b".repeat(64), tree: "e".repeat(64), excluded: 0, old_removed: false },
    ],
    unchanged: ["c".repeat(64)],
    failed: [{ snapshot_id: "d".repeat(64), message: "it is held" }],
  });
  const saved = new Map([["a".repeat(64), snapshot("9")]]);
  const done = JSON.parse(rewriteMessage({ ...PLAN, dryRun: false }, saved)) as {
    rewritten: Record<string, unknown>[];
  };
  assert.equal(done.rewritten[0]?.["new_snapshot_id"], "9".repeat(64));
  assert.equal(done.rewritten[0]?.["old_removed"], true);
});

test("the progress fits a narrow terminal", () => {
  const view = new RewriteView({ snapshotsDone: 3, snapshotsTotal: 10, folders: 123_456 });
  assert.equal(view.logLine(), "3 of 10 snapshots, 123,456 folders read");
  for (const columns of [20, 40, 80]) {
    for (const line of view.lines(columns)) assert.ok(line.length <= Math.max(columns, 20), line);
  }
  const empty = new RewriteView({ snapshotsDone: 0, snapshotsTotal: 0, folders: 0 });
  assert.match(empty.lines(80)[0] ?? "", /0%/);
});
