import { existsSync, renameSync } from "node:fs";
import { resolve } from "node:path";
import type { Clock } from "@comeback/core";

/**
 * Moves a catalog's file away, and what SQLite keeps beside it, so that a new one can be made; a
 * damaged one may still tell something to whoever looks into it. Returns its new path.
 */
export function setAsideCatalog(location: string, clock: Clock): string {
  const path = resolve(location);
  const day = new Date(clock.now()).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const free = (count: number): string => {
    const aside = `${path}.damaged-${day}${count === 0 ? "" : `-${count}`}`;
    return existsSync(aside) ? free(count + 1) : aside;
  };
  const aside = free(0);
  // The database last: until it has gone, nobody makes a new one that would take over its log.
  for (const suffix of ["-wal", "-shm", ""]) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  }
  return aside;
}
