import type { PlanState } from "@comeback/core";

/** The last run failed or never ended, or there is none. */
export function hasFailed({ lastRun, isRunning }: PlanState): boolean {
  if (lastRun?.outcome !== undefined) return lastRun.outcome === "failed";
  return lastRun === undefined || !isRunning;
}

/** The last run warned, or a scheduled one was missed and not made up for. */
export function wantsALook({ lastRun, openMisses }: PlanState): boolean {
  return lastRun?.outcome === "warning" || openMisses > 0;
}
