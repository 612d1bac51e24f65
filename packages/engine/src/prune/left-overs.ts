import {
  LEFT_OVER_MIN_AGE_MS,
  LEFT_OVERS_IN_FLIGHT_MAX,
  type LeftOver,
  type OperationOptions,
} from "@comeback/core";
import { eachConcurrently, type Repository } from "../repository/repository.ts";
import { findOldHolder } from "./old-holders.ts";
import type { PruneMode } from "./prune-options.ts";

/**
 * What saves of killed processes have left, and nobody can be writing any more: it is a day old, and
 * whoever is at work here has begun later. Its name says nothing of the process that made it, and
 * could not: a process number means something only beside its machine, boot and container, and a
 * store is used from many of them.
 */
export async function findAbandoned(
  repository: Repository,
  mode: PruneMode,
  options: OperationOptions,
): Promise<readonly LeftOver[]> {
  const found = (await repository.backend.leftOvers?.(options)) ?? [];
  return await withoutThoseInUse(repository, mode, found, options);
}

/** Looks once more at what a plan has found, and then removes it. */
export async function removeAbandoned(
  repository: Repository,
  mode: PruneMode,
  planned: readonly LeftOver[],
  options: OperationOptions,
): Promise<{ readonly files: number; readonly bytes: number }> {
  const doomed = await withoutThoseInUse(repository, mode, planned, options);
  await eachConcurrently(doomed, LEFT_OVERS_IN_FLIGHT_MAX, (file) => file.remove(options));
  return { files: doomed.length, bytes: bytesOf(doomed) };
}

export function bytesOf(files: readonly LeftOver[]): number {
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

async function withoutThoseInUse(
  repository: Repository,
  mode: PruneMode,
  files: readonly LeftOver[],
  options: OperationOptions,
): Promise<readonly LeftOver[]> {
  const dueMs = repository.clock.now() - LEFT_OVER_MIN_AGE_MS;
  const old = files.filter(({ modifiedMs }) => modifiedMs < dueMs);
  // Under an exclusive lock nobody else is at work.
  if (mode === "instant" || old.length === 0) return old;
  const holder = await findOldHolder(repository, options);
  return old.filter(({ modifiedMs }) => holder === undefined || modifiedMs < holder.sinceMs);
}
