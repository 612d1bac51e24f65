import { setTimeout as sleep } from "node:timers/promises";
import { LOCK_LINGER_MAX_MS, LOCK_LINGER_POLL_MS } from "@comeback/core";
import { tryLockFile } from "./file-lock.ts";
import { isProcessGone } from "./process-place.ts";

export interface LockPastHolderOptions {
  readonly shared?: boolean;
  /** The process that said that it holds the lock; asked for only where it is held. */
  holder(): Promise<number | undefined> | number | undefined;
}

/**
 * As `tryLockFile`, and waits out a lock that outlives the process that took it by an instant: a
 * program that was just being started when that process was killed has its files for as long as it
 * is not itself yet. A holder that lives, or is not known, is not waited for.
 */
export async function lockPastHolder(
  fd: number,
  { shared = false, holder }: LockPastHolderOptions,
): Promise<boolean> {
  if (tryLockFile(fd, { shared })) return true;
  const processId = await holder();
  if (processId === undefined || !isProcessGone(processId)) return false;
  for (let waitedMs = 0; waitedMs < LOCK_LINGER_MAX_MS; waitedMs += LOCK_LINGER_POLL_MS) {
    await sleep(LOCK_LINGER_POLL_MS);
    if (tryLockFile(fd, { shared })) return true;
  }
  // Its number means something in another container.
  return false;
}
