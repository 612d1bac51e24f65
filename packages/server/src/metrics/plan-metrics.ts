import { type PlanState, RUN_OUTCOMES, type SnapshotRecord } from "@comeback/core";
import type { Configuration, PlanSettings, RecoveryTime } from "@comeback/operations";
import type { Metric, Sample } from "./metric.ts";

export interface PlanMetricsRequest {
  readonly configuration: Configuration;
  readonly states: readonly PlanState[];
  /** What is known of them, where the plan says how long it may be. */
  readonly recoveryTimes: ReadonlyMap<string, RecoveryTime>;
  readonly nowMs: number;
  /** When a plan's next backup is due, in milliseconds. */
  nextStartOf(plan: string): number | undefined;
}

interface PlanView {
  readonly name: string;
  readonly plan: PlanSettings;
  readonly state: Omit<PlanState, "host">;
}

/** How the plans of a configuration stand. A plan that never ran is among them. */
export function planMetrics(request: PlanMetricsRequest): Metric[] {
  const { configuration, states, nowMs, nextStartOf } = request;
  const known = new Map(states.map((state) => [state.plan, state]));
  const views = Object.entries(configuration.plans).map(([name, plan]) => {
    const none = { plan: name, isRunning: false, newest: [], openMisses: 0 };
    return { name, plan, state: known.get(name) ?? none };
  });
  const gauge = (
    name: string,
    help: string,
    valueOf: (view: PlanView) => number | undefined,
  ): Metric => ({
    name: `comeback_plan_${name}`,
    type: "gauge",
    help,
    samples: views.flatMap((view) => sampleOf(view.name, valueOf(view))),
  });
  return [
    gauge("enabled", "1 where the plan is enabled.", ({ plan }) => Number(plan.enabled)),
    gauge("running", "1 while a run of the plan is under way.", ({ state }) =>
      Number(state.isRunning),
    ),
    gauge("last_run_timestamp_seconds", "When the last run started.", ({ state }) =>
      seconds(state.lastRun?.startedAtMs),
    ),
    gauge("last_success_timestamp_seconds", "When the last run that ended well ended.", (view) =>
      seconds(view.state.lastGoodRun?.endedAtMs),
    ),
    gauge("last_duration_seconds", "How long the last run that ended well took.", ({ state }) => {
      const { startedAtMs = 0, endedAtMs } = state.lastGoodRun ?? {};
      return endedAtMs === undefined ? undefined : (endedAtMs - startedAtMs) / 1000;
    }),
    gauge("processed_bytes", "What the newest snapshots of the last good run hold.", (view) =>
      sumOfLastRun(view, ({ sizeBytes }) => sizeBytes),
    ),
    gauge("added_bytes", "New data of the last good run, before compression.", (view) =>
      sumOfLastRun(view, ({ addedBytes }) => addedBytes),
    ),
    gauge("stored_bytes", "New data of the last good run, as it is stored.", (view) =>
      sumOfLastRun(view, ({ storedBytes }) => storedBytes),
    ),
    gauge(
      "rpo_exposure_seconds",
      "What would be lost now: the age of the newest good snapshot of the source that is worst off.",
      (view) => exposureSeconds(view, nowMs),
    ),
    gauge("rpo_objective_seconds", "What may be lost at most.", ({ plan }) =>
      plan.objectives.rpo === undefined ? undefined : plan.objectives.rpo / 1000,
    ),
    gauge("rto_objective_seconds", "How long a recovery may take.", ({ plan }) =>
      plan.objectives.rto === undefined ? undefined : plan.objectives.rto / 1000,
    ),
    recoveries(request.recoveryTimes),
    gauge("next_run_timestamp_seconds", "When the next backup is due.", ({ name }) =>
      seconds(nextStartOf(name)),
    ),
    gauge(
      "open_misses",
      "Missed moments that no run has made up for.",
      ({ state }) => state.openMisses,
    ),
    gauge("last_proof_timestamp_seconds", "When something was last proven.", ({ state }) =>
      state.lastProof?.outcome === "ok" ? seconds(state.lastProof.atMs) : undefined,
    ),
    outcomes(views),
    copyLags(views),
  ];
}

function recoveries(times: PlanMetricsRequest["recoveryTimes"]): Metric {
  return {
    name: "comeback_plan_recovery_seconds",
    type: "gauge",
    help: "How long a recovery takes: measured by a restore test, or an estimate.",
    samples: [...times].map(([plan, { kind, ms }]) => ({
      labels: { plan, kind },
      value: ms / 1000,
    })),
  };
}

function sampleOf(plan: string, value: number | undefined): Sample[] {
  return value === undefined ? [] : [{ labels: { plan }, value }];
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}

function sumOfLastRun(
  { state }: PlanView,
  valueOf: (snapshot: SnapshotRecord) => number,
): number | undefined {
  const { lastGoodRun, newest } = state;
  if (lastGoodRun === undefined) return undefined;
  // The same source in several destinations is one thing that was processed.
  const bySource = new Map<string, number>();
  for (const snapshot of newest) {
    if (snapshot.runId !== lastGoodRun.id || snapshot.copiedFrom !== undefined) continue;
    bySource.set(snapshot.source, Math.max(bySource.get(snapshot.source) ?? 0, valueOf(snapshot)));
  }
  return [...bySource.values()].reduce((sum, value) => sum + value, 0);
}

/** A source without any good snapshot is all lost: without end. */
function exposureSeconds({ plan, state }: PlanView, nowMs: number): number {
  const ages = Object.keys(plan.sources).map((source) => {
    const moments = state.newest
      .filter((snapshot) => snapshot.source === source)
      .map(({ atMs }) => atMs);
    return (nowMs - Math.max(-Infinity, ...moments)) / 1000;
  });
  return Math.max(0, ...ages);
}

function outcomes(views: readonly PlanView[]): Metric {
  return {
    name: "comeback_plan_last_run_outcome",
    type: "gauge",
    help: "1 for the outcome of the last run that ended, 0 for the others.",
    samples: views.flatMap(({ name: plan, state: { lastRun } }) =>
      lastRun?.outcome === undefined
        ? []
        : RUN_OUTCOMES.map((outcome) => ({
            labels: { plan, outcome },
            value: Number(outcome === lastRun.outcome),
          })),
    ),
  };
}

/** By how much the copy of the source that is worst off is behind what it is copied from. */
function copyLags(views: readonly PlanView[]): Metric {
  const samples = views.flatMap(({ name, plan, state }) =>
    plan.copies.map(({ from, to, only }) => {
      const sources = only.sources ?? Object.keys(plan.sources);
      const lags = sources.map((source) => {
        const at = (destination: string): number =>
          Math.max(
            -Infinity,
            ...state.newest
              .filter((snapshot) => snapshot.source === source)
              .filter((snapshot) => snapshot.destination === destination)
              .map(({ atMs }) => atMs),
          );
        // Nothing there to be copied: nothing is behind.
        return at(from) === -Infinity ? 0 : (at(from) - at(to)) / 1000;
      });
      return { labels: { plan: name, from, to }, value: Math.max(0, ...lags) };
    }),
  );
  return {
    name: "comeback_copy_lag_seconds",
    type: "gauge",
    help: "How much older the newest snapshot of a copy is than that of what it is copied from.",
    samples,
  };
}
