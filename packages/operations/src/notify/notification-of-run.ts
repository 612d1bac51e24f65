import type { Notification, RunOutcome, RunRecord, StageRecord } from "@comeback/core";

const SEVERITIES = { ok: "info", skipped: "info", warning: "warning", failed: "error" } as const;
const LINES_MAX = 12;

/** What people are told of a run: that it has begun, or how it ended. */
export function notificationOfRun(
  run: RunRecord,
  stages: readonly StageRecord[],
  nowMs: number,
): Notification {
  const { plan, host, id: runId, outcome } = run;
  const common = { host, plan, runId, atMs: nowMs };
  if (run.endedAtMs === undefined || outcome === undefined) {
    return {
      ...common,
      event: "run.started",
      severity: "info",
      title: `${plan} started on ${host}`,
      lines: [],
      facts: { plan, host, run: runId },
    };
  }
  return {
    ...common,
    event: `run.${outcome}`,
    severity: SEVERITIES[outcome],
    title: `${plan} ${wordOf(outcome)} on ${host}`,
    lines: linesOf(run, stages),
    facts: {
      plan,
      host,
      run: runId,
      outcome,
      seconds: Math.round((run.endedAtMs - run.startedAtMs) / 1000),
    },
  };
}

function wordOf(outcome: RunOutcome): string {
  return {
    ok: "is done",
    warning: "is done, with warnings",
    failed: "failed",
    skipped: "was skipped",
  }[outcome];
}

function linesOf(run: RunRecord, stages: readonly StageRecord[]): string[] {
  const bad = stages.filter(({ outcome }) => outcome === "failed" || outcome === "warning");
  const named = bad.map(
    ({ stage, subject, message }) =>
      [stage, subject].filter(Boolean).join(" ") + `: ${message ?? "failed"}`,
  );
  const lines = run.message === undefined || named.length > 0 ? named : [run.message];
  const shown = lines.slice(0, LINES_MAX);
  if (lines.length > shown.length) shown.push(`and ${lines.length - shown.length} more`);
  return [...shown, `see \`comeback history ${run.id}\``];
}
