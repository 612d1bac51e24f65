import { BACKUP_TYPES } from "@comeback/core";
import {
  type Configuration,
  type PlanSettings,
  QuietWindows,
  systemZone,
  Timetables,
} from "@comeback/operations";
import type { Lane, LaneTrigger } from "./lane.ts";
import type { Timings } from "./scheduler.ts";

const NO_WINDOWS = new QuietWindows([], "UTC");

/** The lane of a plan's backups. */
export function backupLaneId(plan: string): string {
  return plan;
}

/** All schedules of a configuration. Throws `schedule.invalid`. */
export function configurationTimings(configuration: Configuration): Timings {
  const timetables = new Timetables();
  const zone = configuration.timezone ?? systemZone();
  const lanes: Lane[] = [];
  for (const [name, plan] of Object.entries(configuration.plans)) {
    lanes.push(...planLanes({ name, plan, configuration, timetables, zone }));
  }
  for (const [name, { digest }] of Object.entries(configuration.channels)) {
    if (digest === undefined) continue;
    const key = `digest ${digest} ${zone}`;
    lanes.push({
      id: `digest ${name}`,
      plan: `digest ${name}`,
      job: { kind: "digest", channel: name },
      triggers: [{ key, timetable: timetables.of(digest, zone) }],
      quiet: NO_WINDOWS,
      jitterMs: 0,
      catchUp: true,
      repositories: [],
      isEnabled: true,
    });
  }
  return { lanes, parallelRuns: configuration.daemon.parallelRuns };
}

interface PlanRequest {
  readonly name: string;
  readonly plan: PlanSettings;
  readonly configuration: Configuration;
  readonly timetables: Timetables;
  readonly zone: string;
}

function planLanes(request: PlanRequest): Lane[] {
  const { name, plan, configuration, timetables } = request;
  const { schedule } = plan;
  const zone = schedule?.timezone ?? request.zone;
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
