import type { PlanState, SnapshotRecord } from "@comeback/core";
import type { Configuration } from "../configuration/schema/configuration.ts";
import type { PlanSettings } from "../configuration/schema/plan.ts";
import { formatSpan } from "../runs/format-span.ts";
import { type RecoveryTime, recoveryTimeText } from "./recovery-time.ts";

/** How a source stands in one destination. */
export interface Standing {
  readonly source: string;
  readonly destination: string;
  /** Age of the newest good snapshot there; `undefined` where there is none. */
  readonly ageMs: number | undefined;
  readonly isCopy: boolean;
}

/**
 * `safe`: what is protected can be brought back as it was within the objective. `warning`: it can,
 * and something wants to be looked at. `at risk`: the newest good state is older than it may be, or
 * the last run failed. `unprotected`: of some source there is nothing. Never run is `unprotected`.
 */
export type PlanVerdict = "safe" | "warning" | "at risk" | "unprotected";

export interface PlanAssessment {
  readonly plan: string;
  readonly verdict: PlanVerdict;
  /** What is wrong, the worst first; [] where it is safe. */
  readonly reasons: readonly string[];
  /** Age of the oldest among the sources' newest good snapshots: what a disaster now would lose. */
  readonly exposureMs: number | undefined;
  /** What it may be: as configured, or twice the pause between scheduled runs. */
  readonly objectiveMs: number | undefined;
  /** How long a recovery may take, as configured, and what is known of how long it does. */
  readonly recoveryObjectiveMs: number | undefined;
  readonly recoveryTime: RecoveryTime | undefined;
  /** What is worth knowing and makes nothing worse: an estimate proves nothing. */
  readonly notes: readonly string[];
  readonly standings: readonly Standing[];
  readonly state: PlanState | undefined;
  readonly nextRunMs: number | undefined;
}

export interface AssessmentInput {
  readonly name: string;
  readonly plan: PlanSettings;
  readonly configuration: Pick<Configuration, "destinations">;
  readonly state: PlanState | undefined;
  readonly nowMs: number;
  readonly nextRunMs: number | undefined;
  /** From one scheduled run to the next. */
  readonly intervalMs: number | undefined;
  /** Looked for where the plan says how long it may be. */
  readonly recoveryTime?: RecoveryTime | undefined;
}

/** Without an objective, a run may be late by as much as lies between two of them. */
const INTERVALS_TOLERATED = 2;

/** Answers "am I safe?" for one plan, from what was recorded; looks at no repository. */
export function assessPlan(input: AssessmentInput): PlanAssessment {
  const { name, plan, state, nextRunMs, intervalMs, recoveryTime } = input;
  const standings = standingsOf(input);
  const objectiveMs =
    plan.objectives.rpo ??
    (intervalMs === undefined ? undefined : INTERVALS_TOLERATED * intervalMs);
  const sources = Object.keys(plan.sources);
  const ages = sources.map((source) =>
    Math.min(
      Infinity,
      ...standings.filter((one) => one.source === source).map(({ ageMs }) => ageMs ?? Infinity),
    ),
  );
  const bare = sources.filter((_, place) => ages[place] === Infinity);
  const exposureMs = sources.length === 0 || bare.length > 0 ? undefined : Math.max(...ages);
  const risks: string[] = [];
  const warnings: string[] = [];
  if (exposureMs !== undefined && objectiveMs !== undefined && exposureMs > objectiveMs) {
    risks.push("the newest good state is older than it may be");
  }
  const notes = recoveryNotes(plan, recoveryTime);
  // Only what was measured counts as what it takes.
  if (recoveryTime?.kind === "measured") risks.push(...notes.splice(0));
  const { lastRun } = state ?? {};
  if (lastRun?.outcome === "failed") risks.push(`the last run failed: ${lastRun.message ?? ""}`);
  if (lastRun?.outcome === "warning") warnings.push(lastRun.message ?? "the last run warned");
  if (lastRun !== undefined && lastRun.outcome === undefined && state?.isRunning === false) {
    risks.push("the last run never ended");
  }
  const { openMisses = 0 } = state ?? {};
  if (openMisses > 0) warnings.push(`${openMisses} scheduled runs were missed`);
  const lacking = new Set(
    standings
      .filter(({ ageMs, source }) => ageMs === undefined && !bare.includes(source))
      .map(({ destination }) => destination),
  );
  for (const destination of lacking) warnings.push(`${destination} lacks a source`);
  if (!plan.enabled) warnings.push("it is switched off");
  const missing = bare.map((source) => `there is no good snapshot of ${source}`);
  const verdict: PlanVerdict =
    bare.length > 0 || sources.length === 0
      ? "unprotected"
      : risks.length > 0
        ? "at risk"
        : warnings.length > 0
          ? "warning"
          : "safe";
  const reasons = [...missing, ...risks, ...warnings];
  return {
    plan: name,
    verdict,
    reasons,
    exposureMs,
    objectiveMs,
    recoveryObjectiveMs: plan.objectives.rto,
    recoveryTime,
    notes,
    standings,
    state,
    nextRunMs,
  };
}

/** [] where a recovery takes no longer than it may. */
function recoveryNotes({ objectives: { rto } }: PlanSettings, time?: RecoveryTime): string[] {
  if (rto === undefined || (time !== undefined && time.ms <= rto)) return [];
  return [`${recoveryTimeText(time)}; it may take ${formatSpan(rto)}`];
}

function key(source: string, destination: string): string {
  return `${source}\0${destination}`;
}

/** What every place of the plan should hold, and what it does. */
function standingsOf({ configuration, plan, state, nowMs }: AssessmentInput): Standing[] {
  const newest = new Map<string, SnapshotRecord>(
    (state?.newest ?? []).map((record) => [key(record.source, record.destination), record]),
  );
  const copied = plan.copies.filter(
    ({ to }) => configuration.destinations[to]?.replica === undefined,
  );
  const places = [
    ...plan.to.map((destination) => ({ destination, isCopy: false, only: undefined })),
    ...copied.map(({ to, only }) => ({ destination: to, isCopy: true, only: only.sources })),
  ];
  return Object.keys(plan.sources).flatMap((source) =>
    places
      .filter(({ only }) => only?.includes(source) ?? true)
      .map(({ destination, isCopy }) => {
        const record = newest.get(key(source, destination));
        const ageMs = record === undefined ? undefined : nowMs - record.atMs;
        return { source, destination, ageMs, isCopy };
      }),
  );
}
