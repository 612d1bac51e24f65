import { type KeepPolicy, planForget, removedByPlan, type Snapshot } from "@comeback/engine";
import type { CopySettings } from "../configuration/schema/plan.ts";
import { readSnapshotTags } from "../runs/snapshot-tags.ts";
import { periodOf } from "./period-of.ts";

export interface CopyWish {
  readonly only: CopySettings["only"];
  /** What the target keeps; without one it keeps all. */
  readonly keep: KeepPolicy | undefined;
  readonly nowMs: number;
  readonly timezone: string;
}

/**
 * The snapshots that a copy has to bring: those of the plan that its filters let through, that are
 * not there yet, and that the target would keep. Without the last rule, what retention removed over
 * there would come again with every run.
 */
export function selectForCopy(
  here: readonly Snapshot[],
  there: readonly Snapshot[],
  wish: CopyWish,
): Snapshot[] {
  const known = new Set(there.flatMap(({ id, original }) => [id, original ?? id]));
  const wanted = filterSnapshots(here, wish).filter(
    ({ id, original }) => !known.has(id) && !known.has(original ?? id),
  );
  const { keep } = wish;
  if (keep === undefined || wanted.length === 0) return wanted;
  const doomed = new Set(
    groupsBySource([...there, ...wanted]).flatMap((group) =>
      removedByPlan(
        planForget(group, {
          policy: keep,
          groupBy: { host: false, paths: false, tags: false },
          allowRemoveAll: true,
          isFiltered: true,
          nowMs: wish.nowMs,
        }),
      ).map(({ id }) => id),
    ),
  );
  return wanted.filter(({ id }) => !doomed.has(id));
}

function filterSnapshots(
  snapshots: readonly Snapshot[],
  { only, timezone }: Pick<CopyWish, "only" | "timezone">,
): Snapshot[] {
  const { types, sources, period } = only;
  const chosen = snapshots.filter(({ tags }) => {
    const run = readSnapshotTags(tags);
    if (run === undefined) return false;
    if (types !== undefined && !types.includes(run.backupType)) return false;
    return sources === undefined || sources.includes(run.source);
  });
  if (period === undefined) return chosen;
  return groupsBySource(chosen).flatMap((group) => {
    const seen = new Set<string>();
    return group
      .toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time))
      .filter(({ time }) => {
        const key = periodOf(Date.parse(time), period, timezone);
        return seen.size < seen.add(key).size;
      });
  });
}

export function groupsBySource(snapshots: readonly Snapshot[]): Snapshot[][] {
  return [...Map.groupBy(snapshots, ({ tags }) => readSnapshotTags(tags)?.source ?? "").values()];
}
