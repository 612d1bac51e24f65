import type { Configuration } from "../configuration/schema/configuration.ts";
import type { PlanSettings } from "../configuration/schema/plan.ts";

/** The zone that a plan's times of day are meant in. */
export function timezoneOf(
  configuration: Pick<Configuration, "timezone">,
  plan: Pick<PlanSettings, "schedule">,
): string {
  return (
    plan.schedule?.timezone ??
    configuration.timezone ??
    Intl.DateTimeFormat().resolvedOptions().timeZone
  );
}
