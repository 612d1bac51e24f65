import type { Clock, OperationOptions } from "@comeback/core";
import { isComebackError } from "@comeback/core";
import { type LockFile, readLock } from "./lock-file.ts";
import type { Repository } from "./repository.ts";
import { isAbandoned } from "./stale-lock.ts";

export interface UnlockOptions extends OperationOptions {
  readonly clock: Clock;
  /** Also the locks of processes that may well be at work. */
  readonly removeAll?: boolean;
}

/** A lock as it was found; without `lock` where its file is empty or damaged. */
export interface FoundLock {
  readonly id: string;
  readonly lock: LockFile | undefined;
}

export interface UnlockResult {
  readonly removed: readonly FoundLock[];
  readonly kept: readonly FoundLock[];
}

/** Removes the locks that nobody works under any more, or all of them. */
export async function unlock(
  repository: Repository,
  { clock, removeAll = false, signal }: UnlockOptions,
): Promise<UnlockResult> {
  const ids: string[] = [];
  for await (const { name } of repository.backend.list("lock", { signal })) ids.push(name);
  const removed: FoundLock[] = [];
  const kept: FoundLock[] = [];
  for (const id of ids) {
    const found = await findLock(repository, id, { signal });
    if (found === undefined) continue;
    // What cannot be read may be a lock that is just being written: only who asks for all gets it.
    const isOver = found.lock !== undefined && isAbandoned(found.lock, { nowMs: clock.now() });
    if (!removeAll && !isOver) {
      kept.push(found);
      continue;
    }
    await repository.backend.remove({ type: "lock", name: id }, { signal });
    removed.push(found);
  }
  return { removed, kept };
}

/** `undefined` where it was released in the meantime. */
async function findLock(
  repository: Repository,
  id: string,
  options: OperationOptions,
): Promise<FoundLock | undefined> {
  try {
    const lock = await readLock(repository, id, options);
    return lock === undefined ? undefined : { id, lock };
  } catch (error) {
    if (!isComebackError(error, "repository.damaged")) throw error;
    return { id, lock: undefined };
  }
}
