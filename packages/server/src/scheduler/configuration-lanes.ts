import {
  type Configuration,
  type Lane,
  planLanes,
  QuietWindows,
  systemZone,
  Timetables,
} from "@comeback/operations";
import type { Timings } from "./scheduler.ts";

const NO_WINDOWS = new QuietWindows([], "UTC");

/** All schedules of a configuration. Throws `schedule.invalid`. */
export function configurationTimings(configuration: Configuration): Timings {
  const timetables = new Timetables();
  const zone = configuration.timezone ?? systemZone();
  const lanes: Lane[] = [];
  for (const [name, plan] of Object.entries(configuration.plans)) {
    lanes.push(...planLanes({ name, plan, configuration, timetables }));
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
