import type { FileType, OperationOptions } from "@comeback/core";
import { eachConcurrently, type Repository } from "../repository/repository.ts";
import { enterPhase, type RepairProgress } from "./repair-progress.ts";

/** Removes files that others stand in for by now. */
export async function removeFiles(
  { backend }: Repository,
  type: FileType,
  names: readonly string[],
  progress: RepairProgress,
  options: OperationOptions,
): Promise<void> {
  enterPhase(progress, "removing", names.length);
  await eachConcurrently(names, backend.connections, async (name) => {
    await backend.remove({ type, name }, options);
    progress.done++;
  });
}
