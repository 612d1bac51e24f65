import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, NOTIFY_LOCK_POLL_MS, NOTIFY_LOCK_WAIT_MS } from "@comeback/core";
import { tryLockFile } from "@comeback/platform";

/** Does a short piece of work while nobody else does one under the same lock. */
export type Exclusively = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * A lock for all processes of this machine on what channels remember. Where it cannot be had in
 * time, the work is done without: a message told twice is better than one that is not told.
 */
export function stateLock(options: {
  readonly stateFolder: string;
  readonly clock: Clock;
}): Exclusively {
  const { stateFolder, clock } = options;
  const folder = join(stateFolder, "locks");
  return async (work) => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await using file = await open(join(folder, "notify.lock"), "a", 0o600);
    const endsAtMs = clock.now() + NOTIFY_LOCK_WAIT_MS;
    while (!tryLockFile(file.fd) && clock.now() < endsAtMs) {
      await clock.sleep(NOTIFY_LOCK_POLL_MS);
    }
    return await work();
  };
}
