import {
  BACKUP_TYPES,
  type CatalogStore,
  type RunRecord,
  SCHEDULE_MISSES_RECORDED_MAX,
  SCHEDULE_RUNS_SEARCHED_MAX,
} from "@comeback/core";
import { compareStrength } from "@comeback/operations";
import type { StartDecision } from "./schedule-state.ts";

export type MissesCatalog = Pick<CatalogStore, "listRuns" | "listMisses" | "saveMiss">;

/** The record of the run that was started by a decision; `undefined` where it left none. */
export async function findRunOf(
  catalog: MissesCatalog,
  { lane, scheduledForMs, type }: StartDecision,
): Promise<RunRecord | undefined> {
  const runs = await catalog.listRuns({ plan: lane.plan, limit: SCHEDULE_RUNS_SEARCHED_MAX });
  return runs.find(
    (run) =>
      run.trigger !== "manual" &&
      run.scheduledForMs === scheduledForMs &&
      (run.backupType === undefined) === (type === undefined),
  );
}

/** A run that ended well makes up for what was missed before it, and that was not more than it did. */
export async function closeMisses(
  catalog: MissesCatalog,
  { lane, scheduledForMs, type }: StartDecision,
  run: RunRecord,
): Promise<void> {
  const limit = SCHEDULE_MISSES_RECORDED_MAX;
  for (const miss of await catalog.listMisses({ plan: lane.plan, limit })) {
    if (miss.caughtUpBy !== undefined || miss.scheduledForMs > scheduledForMs) continue;
    const [word] = miss.trigger.split(" ");
    const missedType = BACKUP_TYPES.find((known) => known === word);
    const isOfLane =
      lane.job.kind === "backup"
        ? missedType !== undefined && compareStrength(type, missedType) >= 0
        : lane.triggers.some(({ key }) => key === miss.trigger);
    if (isOfLane) await catalog.saveMiss({ ...miss, caughtUpBy: run.id });
  }
}
