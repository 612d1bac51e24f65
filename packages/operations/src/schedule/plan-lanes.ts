import { BACKUP_TYPES } from "@comeback/core";
import type { Configuration } from "../configuration/schema/configuration.ts";
import type { PlanSettings } from "../configuration/schema/plan.ts";
import { timezoneOf } from "../runs/timezone-of.ts";
import type { Lane, LaneTrigger } from "./lane.ts";
import { QuietWindows } from "./quiet-windows.ts";
import { Timetables } from "./timetable.ts";

const NO_WINDOWS = new QuietWindows([], "UTC");

/** The lane of a plan's backups. */
export function backupLaneId(plan: string): string {
  return plan;
}

export interface PlanLanesRequest {
  readonly name: string;
  readonly plan: Pick<PlanSettings, "schedule" | "copies" | "to" | "enabled">;
  readonly configuration: Pick<Configuration, "destinations" | "timezone">;
  /** Shared by those who ask for many plans. */
  readonly timetables?: Timetables;
}

/** A plan's schedule: one lane for its backups, and one for each copy with a schedule of its own. */
export function planLanes(request: PlanLanesRequest): Lane[] {
  const { name, plan, configuration, timetables = new Timetables() } = request;
  const { schedule } = plan;
  const zone = timezoneOf(configuration, plan);
  /** Two destinations may lie in one repository. */
  const repositoriesOf = (destinations: readonly string[]): string[] => [
    ...new Set(destinations.map((to) => configuration.destinations[to]?.repo ?? to)),
  ];
  const common = {
    plan: name,
    quiet: schedule === undefined ? NO_WINDOWS : new QuietWindows(schedule.quiet, zone),
    jitterMs: schedule?.jitter ?? 0,
    catchUp: schedule?.catchUp ?? true,
    isEnabled: plan.enabled,
  };
  const lanes: Lane[] = [];
  const triggers: LaneTrigger[] = BACKUP_TYPES.flatMap((type) => {
    const text = schedule?.triggers[type];
    if (text === undefined) return [];
    return [{ key: `${type} ${text} ${zone}`, type, timetable: timetables.of(text, zone) }];
  });
  if (triggers.length > 0) {
    const after = plan.copies.filter((copy) => copy.schedule === undefined).map(({ to }) => to);
    const repositories = repositoriesOf([...plan.to, ...after]);
    const id = backupLaneId(name);
    lanes.push({ ...common, id, job: { kind: "backup" }, triggers, repositories });
  }
  for (const { from, to, schedule: text } of plan.copies) {
    if (text === undefined) continue;
    const key = `copy ${from}>${to} ${text} ${zone}`;
    lanes.push({
      ...common,
      id: `${name} ${key}`,
      job: { kind: "copy", from, to },
      triggers: [{ key, timetable: timetables.of(text, zone) }],
      repositories: repositoriesOf([from, to]),
    });
  }
  return lanes;
}
