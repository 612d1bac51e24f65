import type { Snapshot } from "@comeback/engine";

/** The newest `count` of each host and path set, oldest first as they came. */
export function keepLatest(snapshots: readonly Snapshot[], count: number): Snapshot[] {
  const seen = new Map<string, number>();
  const kept = snapshots.toReversed().filter(({ hostname, paths }) => {
    const key = JSON.stringify([hostname, paths.toSorted()]);
    const before = seen.get(key) ?? 0;
    seen.set(key, before + 1);
    return before < count;
  });
  return kept.reverse();
}
