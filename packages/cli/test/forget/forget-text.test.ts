import assert from "node:assert/strict";
import { test } from "node:test";
import type { ForgetPlan, Snapshot } from "@comeback/engine";
import type { CommandContext } from "../../src/context.ts";
import { RemovalView } from "../../src/forget/removal-view.ts";
import { forgetGroupMessage, renderForgetPlan } from "../../src/forget/render-plan.ts";
import { reportFailures } from "../../src/snapshots/report-failures.ts";
import { Terminal } from "../../src/terminal/terminal.ts";
import { RecordingStream } from "../recording-stream.ts";

function snapshot(number: number, fields: Partial<Snapshot> = {}): Snapshot {
  const time = new Date(2026, 0, number, 10).toISOString();
  const id = String(number).repeat(64);
  return { id, time, tree: "0".repeat(64), paths: ["/a\u001b"], hostname: "nas", ...fields };
}

const REASONS = ["last", "daily", "weekly", "monthly", "yearly"];
const plan: ForgetPlan = {
  groups: [
    {
      key: { hostname: "nas", paths: ["/a\u001b"], tags: null },
      keep: [
        { snapshot: snapshot(4), matches: REASONS.map((period) => `${period} snapshot`) },
        { snapshot: snapshot(2, { tags: ["x"] }), matches: ["has tags [x]", "within 1y5d"] },
      ],
      remove: [snapshot(3), snapshot(1)],
    },
  ],
};
const groupBy = { host: true, paths: true, tags: false };

test("a plan fits 80 columns, oldest first, and carries nobody's escape sequences", () => {
  assert.deepEqual(renderForgetPlan(plan, { groupBy, compact: true }), [
    "snapshots for (host [nas], paths [/a\\x1b]):",
    "keep 2 snapshots:",
    "ID        Time                 Tags  Kept because",
    "-".repeat(73),
    "22222222  2026-01-02 10:00:00  x     has tags [x], within 1y5d",
    "44444444  2026-01-04 10:00:00        last, daily, weekly, monthly, yearly",
    "",
    "remove 2 snapshots:",
    "ID        Time                 Tags",
    "-".repeat(35),
    "11111111  2026-01-01 10:00:00",
    "33333333  2026-01-03 10:00:00",
    "",
  ]);
  const none = { host: false, paths: false, tags: true };
  const wide = renderForgetPlan(plan, { groupBy: none, compact: false });
  assert.equal(wide[0], "snapshots for (host [nas], paths [/a\\x1b]):");
  assert.equal(wide[4], "22222222  2026-01-02 10:00:00  nas   /a\\x1b  has tags [x]");
  assert.equal(wide[5], `${" ".repeat(45)}within 1y5d`);
  assert.deepEqual(renderForgetPlan({ groups: [] }, { groupBy, compact: false }), []);
});

test("the JSON of a group has restic's keys, and null for what is empty", () => {
  const [group] = plan.groups;
  const message = forgetGroupMessage({ ...group!, keep: [] });
  assert.deepEqual(message, {
    tags: null,
    host: "nas",
    paths: ["/a\u001b"],
    keep: null,
    remove: [snapshot(3), snapshot(1)].map((one) => ({ ...one, short_id: one.id.slice(0, 8) })),
    reasons: null,
  });
});

test("the removal is counted on a line of any width", () => {
  const view = new RemovalView(2_000);
  view.add();
  assert.equal(view.logLine(), "removed 1 of 2,000 snapshots");
  for (const columns of [10, 40, 80]) assert.equal(view.lines(columns).length, 1);
});

test("failures are named up to a bound, and not at all in JSON", () => {
  const failed = Array.from({ length: 12 }, (_, i) => ({
    id: snapshot(1).id,
    message: `${i}\u0007`,
  }));
  const shown = (json: boolean): string[] => {
    const [stdout, stderr] = [
      new RecordingStream({ isTTY: false }),
      new RecordingStream({ isTTY: false }),
    ];
    const terminal = new Terminal({ stdout, stderr, env: {} });
    reportFailures({ terminal, globals: { json } } as CommandContext, failed);
    assert.equal(stdout.text, "");
    return stderr.text.split("\n").slice(0, -1);
  };
  const lines = shown(false);
  assert.equal(lines.length, 11);
  assert.equal(lines[0], "warning: snapshot 11111111: 0\\x07");
  assert.equal(lines[10], "warning: and 2 more");
  assert.deepEqual(shown(true), []);
});
