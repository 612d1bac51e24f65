import type { OperationOptions } from "@comeback/core";
import { PRUNE_CLOCK_MARGIN_MS } from "@comeback/core";
import { readLock } from "../repository/lock-file.ts";
import type { Repository } from "../repository/repository.ts";
import { isStale } from "../repository/stale-lock.ts";

/** Whoever has been at work in a repository for the longest time. */
export interface OldHolder {
  /** What was marked before this, they cannot have seen as in use. */
  readonly sinceMs: number;
  /** For a person. */
  readonly name: string;
}

/**
 * Who has been at work here for longest. A backup reads the index when it begins, right after it
 * took its lock, and may build for as long as it runs on packs that are marked meanwhile: nothing
 * that was marked later than its beginning is deleted before its end. restic's locks do not say
 * since when they are held, so beside restic nothing is deleted at all.
 */
export async function findOldHolder(
  repository: Repository,
  options: OperationOptions,
): Promise<OldHolder | undefined> {
  const nowMs = repository.clock.now();
  let oldest: OldHolder | undefined;
  for (const name of await lockNames(repository, options)) {
    const lock = await readLock(repository, name, options);
    if (lock === undefined || isStale(lock, { nowMs })) continue;
    // There is only one at a time, and that is ourselves.
    if (lock.comeback?.activity === "prune") continue;
    const since = lock.comeback?.since;
    const heldSinceMs = since === undefined ? Number.NEGATIVE_INFINITY : Date.parse(since);
    const sinceMs = heldSinceMs - PRUNE_CLOCK_MARGIN_MS;
    if (oldest !== undefined && oldest.sinceMs <= sinceMs) continue;
    oldest = { sinceMs, name: `process ${lock.pid} on ${lock.hostname}` };
  }
  return oldest;
}

/**
 * Listed twice: a lock that is refreshed is a new file before the old one goes, and one listing may
 * just have missed both.
 */
async function lockNames(
  { backend }: Repository,
  options: OperationOptions,
): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  for (let round = 0; round < 2; round++) {
    for await (const { name, sizeBytes } of backend.list("lock", options)) {
      // restic: an empty lock file is the rest of a crashed write and means nothing.
      if (sizeBytes > 0) names.add(name);
    }
  }
  return names;
}
