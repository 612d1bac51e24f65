import {
  CAPTURES_LOOKED_BACK_MAX,
  COMPARED_CAPTURES_MAX,
  type SnapshotRecord,
  UNPROVEN_SNAPSHOTS_MAX,
} from "@comeback/core";
import type { RunState, SourceRun } from "./run-state.ts";

/**
 * Captures of a source by earlier runs, newest first: as far back as the newest complete one, where
 * the usual number of them does not reach it. `undefined` where the catalog cannot say.
 */
export async function earlierCaptures(
  { catalog, request, runId, recorder }: RunState,
  source: string,
): Promise<SnapshotRecord[] | undefined> {
  return recorder.read(async () => {
    for (let limit = COMPARED_CAPTURES_MAX; ; limit *= 8) {
      const records = await catalog.listSnapshots({ plan: request.plan, source, limit });
      const captures = onePerRun(records, runId);
      const isEnough = captures.some(({ outcome }) => outcome === "ok");
      if (isEnough || records.length < limit || limit >= CAPTURES_LOOKED_BACK_MAX) return captures;
    }
  });
}

function onePerRun(records: readonly SnapshotRecord[], runId: string): SnapshotRecord[] {
  const seen = new Set<string>([runId]);
  return records.filter(({ runId: id, copiedFrom }) => {
    if (copiedFrom !== undefined || seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}

/**
 * Snapshots of a destination of which nobody knows whether they are what they should be: what they
 * were read from did not stay as it was, or their run ended before anybody had looked. They are no
 * parent and are not copied, and no good one goes for their sake.
 */
export async function unprovenSnapshots(
  { catalog, request, recorder, sources }: RunState,
  destination: string,
): Promise<Set<string>> {
  const limit = UNPROVEN_SNAPSHOTS_MAX;
  const filter = { plan: request.plan, destination, limit };
  const records = (await recorder.read(() => catalog.listSnapshots(filter))) ?? [];
  const ids = records.filter(({ outcome }) => outcome === "failed").map((one) => one.snapshotId);
  const unproven = new Set(ids);
  // Of this run we know it, also where the catalog could not take it.
  for (const { snapshotId, outcome, isProven } of ownRecords(sources, destination)) {
    if (isProven && outcome !== "failed") unproven.delete(snapshotId);
    else unproven.add(snapshotId);
  }
  return unproven;
}

function ownRecords(
  sources: readonly SourceRun[],
  destination: string,
): (SnapshotRecord & Pick<SourceRun, "isProven">)[] {
  return sources.flatMap(({ records, isProven }) =>
    records
      .filter((record) => record.destination === destination)
      .map((record) => ({ ...record, isProven })),
  );
}

/** What this run has captured, and then found to be worth nothing. */
export function spoiltSnapshots({ sources }: RunState, destination: string): Set<string> {
  const spoilt = ownRecords(sources, destination).filter(({ outcome }) => outcome === "failed");
  return new Set(spoilt.map(({ snapshotId }) => snapshotId));
}
