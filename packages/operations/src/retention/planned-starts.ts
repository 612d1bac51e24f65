import { type BackupType, ComebackError, formatCount, SIMULATED_RUNS_MAX } from "@comeback/core";
import { type Lane, startOf, strongestOf } from "../schedule/lane.ts";
import { planLanes, type PlanLanesRequest } from "../schedule/plan-lanes.ts";
import { DAY_MS } from "../schedule/trigger.ts";

/** What starts at one moment: a backup, or copies of their own schedule. */
export interface PlannedStart {
  readonly atMs: number;
  readonly type: BackupType | undefined;
  /** Targets. */
  readonly copies: readonly string[];
}

interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** No quiet window is longer. */
const QUIET_MAX_MS = 8 * DAY_MS;

/** All that a plan starts after `fromMs` up to `untilMs`, in ascending order, as the daemon does it. */
export function plannedStarts(request: PlanLanesRequest, span: Span): PlannedStart[] {
  const starts = new Map<number, PlannedStart>();
  for (const lane of planLanes(request)) {
    for (const { atMs, type } of startsOf(lane, span)) {
      const before = starts.get(atMs) ?? { atMs, type: undefined, copies: [] };
      const { job } = lane;
      const now =
        job.kind === "copy"
          ? { ...before, copies: [...before.copies, job.to] }
          : { ...before, type: strongestOf([type, before.type ?? type]) };
      starts.set(atMs, now);
      if (starts.size > SIMULATED_RUNS_MAX) throw tooMany();
    }
  }
  return [...starts.values()].toSorted((a, b) => a.atMs - b.atMs);
}

function* startsOf(lane: Lane, { fromMs, untilMs }: Span): Generator<Omit<PlannedStart, "copies">> {
  // What was due before may have been put off until after it.
  const earliestMs = fromMs - lane.jitterMs - QUIET_MAX_MS;
  for (const { type, timetable } of lane.triggers) {
    for (const momentMs of timetable.occurrences(earliestMs, untilMs)) {
      const atMs = startOf(lane, momentMs);
      if (atMs > fromMs && atMs <= untilMs) yield { atMs, type };
    }
  }
}

function tooMany(): ComebackError {
  return new ComebackError("option.invalid", "the preview is too long", {
    why: `more than ${formatCount(SIMULATED_RUNS_MAX)} runs fall into it`,
    next: "look less far ahead: --preview 30d",
  });
}
