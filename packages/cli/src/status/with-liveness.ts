import type { PlanState } from "@comeback/core";
import { isProcessGone } from "@comeback/platform";

/** A run that was killed never says that it ended; of one on this host, that can be seen. */
export function withLiveness(state: PlanState, ownHost: string): PlanState {
  const { lastRun, host } = state;
  if (!state.isRunning || lastRun === undefined || host !== ownHost) return state;
  return isProcessGone(lastRun.processId) ? { ...state, isRunning: false } : state;
}
