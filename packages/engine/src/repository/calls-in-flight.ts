import {
  type Backend,
  PACKS_IN_FLIGHT_MAX,
  PACKS_IN_FLIGHT_REMOTE_MAX,
  PACKS_IN_FLIGHT_REMOTE_MAX_BYTES,
  PACKS_IN_MEMORY_REMOTE_MAX,
  PACKS_IN_MEMORY_REMOTE_MAX_BYTES,
} from "@comeback/core";

/**
 * Packs that are stored at the same time. A disk is busy with two. Storage far away answers late,
 * and would be idle most of the time: it gets as many as it has connections, while their bytes
 * stay within bounds. Those are narrow where packs `wait` in memory, and wide in files.
 */
export function uploadsInFlight(
  { isRemote, connections }: Backend,
  packSizeBytes: number,
  wait: "in-files" | "in-memory",
): number {
  if (!isRemote) return PACKS_IN_FLIGHT_MAX;
  const [packs, bytes] =
    wait === "in-files"
      ? [PACKS_IN_FLIGHT_REMOTE_MAX, PACKS_IN_FLIGHT_REMOTE_MAX_BYTES]
      : [PACKS_IN_MEMORY_REMOTE_MAX, PACKS_IN_MEMORY_REMOTE_MAX_BYTES];
  const fitting = Math.floor(bytes / packSizeBytes);
  return Math.max(PACKS_IN_FLIGHT_MAX, Math.min(connections, packs, fitting));
}

/**
 * Parts of packs that are worked on or loaded at the same time: one for each worker, and beside
 * them as many as arrive meanwhile, which is more from far away. Callers bound the bytes.
 */
export function loadsInFlight({ isRemote, connections }: Backend, workers: number): number {
  return workers + (isRemote ? connections : Math.min(workers, connections));
}
