import type {
  Notification,
  RunOutcome,
  RunRecord,
  SnapshotRecord,
  StageRecord,
} from "@comeback/core";
import { KIT_SOURCE } from "../runs/bootstrap-kit.ts";

const SEVERITIES = { ok: "info", skipped: "info", warning: "warning", failed: "error" } as const;
const WORDS: Readonly<Record<RunOutcome, string>> = {
  ok: "is done",
  warning: "is done, with warnings",
  failed: "failed",
  skipped: "was skipped",
};
const LINES_MAX = 12;
const CAUSE_MAX_CHARS = 300;

/**
 * What people are told of a run: that it has begun, or how it ended. `snapshots` are those that it
 * made and copied.
 */
export function notificationOfRun(
  run: RunRecord,
  stages: readonly StageRecord[],
  given: { readonly nowMs: number; readonly snapshots: readonly SnapshotRecord[] },
): Notification {
  const { plan, host, id: runId, outcome, backupType } = run;
  const common = { host, plan, runId, atMs: given.nowMs };
  const type = backupType === undefined ? {} : { type: backupType };
  if (run.endedAtMs === undefined || outcome === undefined) {
    return {
      ...common,
      event: "run.started",
      severity: "info",
      title: `${plan} started on ${host}`,
      lines: [],
      facts: { plan, host, run: runId, ...type },
    };
  }
  const bad = stages.filter((stage) => stage.outcome === "failed" || stage.outcome === "warning");
  const work = workOf(given.snapshots);
  return {
    ...common,
    event: `run.${outcome}`,
    severity: SEVERITIES[outcome],
    title: `${plan} ${WORDS[outcome]} on ${host}`,
    lines: [...problemLines(run, bad), ...work.lines, `see \`comeback history ${runId}\``],
    facts: {
      plan,
      host,
      run: runId,
      outcome,
      ...type,
      seconds: Math.round((run.endedAtMs - run.startedAtMs) / 1000),
      ...work.facts,
      ...(outcome === "failed" || outcome === "warning" ? { cause: causeOf(run, bad) } : {}),
    },
  };
}

/** What is wrong, failures first; each says what to do next where its error did. */
function problemLines({ message }: RunRecord, bad: readonly StageRecord[]): string[] {
  const named = bad
    .toSorted((a, b) => Number(b.outcome === "failed") - Number(a.outcome === "failed"))
    .map(
      ({ stage, subject, message: why, outcome }) =>
        [stage, subject].filter(Boolean).join(" ") + `: ${why ?? outcome}`,
    );
  const isTold = message === undefined || named.some((line) => line.includes(message));
  // Most often it is that of a stage, with its subject before it.
  const isOfStage = bad.some(({ message: why }) => why !== undefined && message?.endsWith(why));
  const lines = isTold || isOfStage ? named : [message, ...named];
  const shown = lines.slice(0, LINES_MAX);
  if (lines.length > shown.length) shown.push(`and ${lines.length - shown.length} more`);
  return shown;
}

/** What was saved and copied, from where to where, and how much of it was new. */
function workOf(snapshots: readonly SnapshotRecord[]): {
  readonly lines: readonly string[];
  readonly facts: Readonly<Record<string, number>>;
} {
  const own = snapshots.filter(({ source }) => source !== KIT_SOURCE);
  const captured = own.filter(({ copiedFrom }) => copiedFrom === undefined);
  const copied = own.filter(({ copiedFrom }) => copiedFrom !== undefined);
  const lines: string[] = [];
  for (const [destinations, sources] of groupBySource(captured)) {
    lines.push(`saved ${sources.join(", ")} to ${destinations}`);
  }
  for (const destination of distinct(copied.map((snapshot) => snapshot.destination))) {
    const count = copied.filter((snapshot) => snapshot.destination === destination).length;
    lines.push(`copied ${count === 1 ? "1 snapshot" : `${count} snapshots`} to ${destination}`);
  }
  if (own.length === 0) return { lines, facts: {} };
  const newBytes = distinct(captured.map(({ source }) => source))
    .map((name) => captured.filter(({ source }) => source === name))
    // The same data is new in each destination.
    .map((same) => Math.max(...same.map(({ addedBytes }) => addedBytes)))
    .reduce((sum, bytes) => sum + bytes, 0);
  const storedBytes = own.reduce((sum, snapshot) => sum + snapshot.storedBytes, 0);
  return { lines, facts: { snapshots: own.length, newBytes, storedBytes } };
}

/** Sources that went to the same destinations are one line. */
function groupBySource(captured: readonly SnapshotRecord[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const source of distinct(captured.map((snapshot) => snapshot.source))) {
    const to = captured.filter((snapshot) => snapshot.source === source);
    const key = distinct(to.map(({ destination }) => destination)).join(", ");
    groups.set(key, [...(groups.get(key) ?? []), source]);
  }
  return groups;
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}

/** The same again where the same parts of a run went wrong in the same way. */
function causeOf({ message }: RunRecord, bad: readonly StageRecord[]): string {
  const parts = distinct(
    bad.map(({ stage, subject, errorCode, outcome }) =>
      [stage, subject, errorCode ?? outcome].filter(Boolean).join("/"),
    ),
  );
  const cause = parts.length > 0 ? parts.toSorted().join(", ") : (message ?? "");
  return cause.slice(0, CAUSE_MAX_CHARS).toWellFormed();
}
