import type { Configuration } from "../configuration/schema/configuration.ts";
import type { PlanSettings } from "../configuration/schema/plan.ts";
import { timezoneOf } from "../runs/timezone-of.ts";
import { Timetables } from "../schedule/timetable.ts";

export interface NextRunsOptions {
  readonly nowMs: number;
  /** Shared by those who ask for many plans. */
  readonly timetables?: Timetables;
}

/** The next two moments of a plan's schedule, whatever type of backup they make; [] without one. */
export function nextRuns(
  configuration: Pick<Configuration, "timezone">,
  plan: Pick<PlanSettings, "schedule">,
  { nowMs, timetables = new Timetables() }: NextRunsOptions,
): number[] {
  const zone = timezoneOf(configuration, plan);
  const texts = Object.values(plan.schedule?.triggers ?? {}).filter((text) => text !== undefined);
  const moments = texts.flatMap((text) => {
    const timetable = timetables.of(text, zone);
    const first = timetable.nextAfter(nowMs);
    const second = first === undefined ? undefined : timetable.nextAfter(first);
    return [first, second].filter((moment) => moment !== undefined);
  });
  return [...new Set(moments)].toSorted((a, b) => a - b).slice(0, 2);
}
