import type { Configuration } from "../configuration/schema/configuration.ts";
import type { PlanSettings } from "../configuration/schema/plan.ts";
import { systemZone } from "../schedule/wall-clock.ts";

/** The zone that a plan's times of day are meant in. */
export function timezoneOf(
  configuration: Pick<Configuration, "timezone">,
  plan: Pick<PlanSettings, "schedule">,
): string {
  return plan.schedule?.timezone ?? configuration.timezone ?? systemZone();
}
