import { hostname } from "node:os";
import { LOCK_ABANDONED_MS, LOCK_STALE_MS } from "@comeback/core";
import { isProcessGone, ownProcessPlace, type ProcessPlace } from "@comeback/platform";
import type { LockFile } from "./lock-file.ts";

/** What a lock's staleness is judged by; all but the time is this process's own, unless a test says. */
export interface LockView {
  readonly nowMs: number;
  readonly place?: ProcessPlace | undefined;
  isGone?(pid: number): boolean;
}

/**
 * Whether nobody can be working under a lock any more, so that it may be cleared without asking.
 *
 * - Not refreshed for 30 minutes: every client refreshes every 5, and stops its work by itself when
 *   it could not do so for 22.5.
 * - Its process is gone. That is only certain for a process number of our own pid namespace, in the
 *   same boot of the same kernel, which our locks therefore name. A host name is no proof: two
 *   containers may share one (a fixed `hostname:`, or the machine's own with host networking), and
 *   so may two machines that were set up alike; in each of them the other's process 7 does not
 *   exist. restic's locks have nothing but host name and number, so they wait for the 30 minutes or
 *   for a person's `unlock`: clearing the lock of a backup that runs next door, and then deleting
 *   what it builds on, would be worse than any wait.
 *
 * A number that another process was given in the meantime leaves a stale lock in place, never the
 * other way round.
 */
export function isStale(lock: LockFile, view: LockView): boolean {
  if (view.nowMs - Date.parse(lock.time) > LOCK_STALE_MS) return true;
  const { place = ownProcessPlace(), isGone = isProcessGone } = view;
  const holder = lock.comeback;
  const isNumberOurs =
    place !== undefined &&
    holder?.boot_id === place.bootId &&
    holder.pid_namespace === place.pidNamespace;
  return isNumberOurs && isGone(lock.pid);
}

/**
 * Whether a person who asks for stale locks to go most likely means this one: it bears this
 * host's name, no process here has its number (restic's own rule), and it has missed two refreshes,
 * so that it is not the lock of a namesake who is at work.
 */
export function isAbandoned(lock: LockFile, view: LockView): boolean {
  if (isStale(lock, view)) return true;
  const { isGone = isProcessGone } = view;
  const unrefreshedMs = view.nowMs - Date.parse(lock.time);
  return lock.hostname === hostname() && unrefreshedMs > LOCK_ABANDONED_MS && isGone(lock.pid);
}
