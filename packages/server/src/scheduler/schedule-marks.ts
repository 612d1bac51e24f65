import {
  type CatalogStore,
  SCHEDULE_LOOK_BACK_MAX_MS,
  SCHEDULE_RUNS_SEARCHED_MAX,
  SCHEDULE_SET_BACK_MAX_MS,
} from "@comeback/core";
import type { Lane } from "@comeback/operations";

export type MarksCatalog = Pick<CatalogStore, "readScheduleMark" | "saveScheduleMark" | "listRuns">;

export interface MarksRequest {
  readonly lane: Lane;
  readonly catalog: MarksCatalog;
  readonly nowMs: number;
}

/**
 * Up to which moment each trigger of a lane has been answered. A trigger that the catalog has not
 * heard of begins now, and this is written down at once: what is missed from now on is noticed.
 */
export async function readMarks(request: MarksRequest): Promise<Map<string, number>> {
  const { lane, catalog, nowMs } = request;
  const ranUpToMs = await newestRunOf(request);
  const marks = new Map<string, number>();
  for (const { key } of lane.triggers) {
    const mark = await catalog.readScheduleMark(lane.plan, key);
    if (mark === undefined) await catalog.saveScheduleMark(lane.plan, key, nowMs);
    // A run that was started by a daemon that crashed before it wrote its mark.
    const answered = mark === undefined ? nowMs : Math.max(mark, ranUpToMs);
    marks.set(key, Math.max(answered, nowMs - SCHEDULE_LOOK_BACK_MAX_MS));
  }
  return marks;
}

/** The newest moment that a recorded run of the lane answers; only backups can be told apart. */
async function newestRunOf({ lane, catalog, nowMs }: MarksRequest): Promise<number> {
  if (lane.job.kind !== "backup") return -Infinity;
  const runs = await catalog.listRuns({ plan: lane.plan, limit: SCHEDULE_RUNS_SEARCHED_MAX });
  const moments = runs
    .filter(({ trigger, backupType }) => trigger !== "manual" && backupType !== undefined)
    .map(({ scheduledForMs }) => scheduledForMs ?? -Infinity)
    // Of a clock that was wrong.
    .filter((moment) => moment <= nowMs + SCHEDULE_SET_BACK_MAX_MS);
  return Math.max(-Infinity, ...moments);
}
