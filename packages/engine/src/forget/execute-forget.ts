import { messageOf, type OperationOptions } from "@comeback/core";
import { eachConcurrently, type Repository } from "../repository/repository.ts";
import { type ForgetPlan, removedByPlan } from "./plan-forget.ts";

export interface ForgetOptions extends OperationOptions {
  /** Told of each snapshot that is gone. */
  onRemoved?(id: string): void;
}

export interface ForgetResult {
  readonly removed: number;
  /** Snapshots that are still there, and why. */
  readonly failed: readonly { readonly id: string; readonly message: string }[];
}

/**
 * Removes what the plan says, and nothing else. Each snapshot goes by itself: wherever this stops,
 * those that are left are whole. One that cannot be removed does not keep the others.
 */
export async function executeForget(
  repository: Repository,
  plan: ForgetPlan,
  options: ForgetOptions = {},
): Promise<ForgetResult> {
  const { backend } = repository;
  const { signal } = options;
  const failed: { id: string; message: string }[] = [];
  let removed = 0;
  await eachConcurrently(removedByPlan(plan), backend.connections, async ({ id }) => {
    signal?.throwIfAborted();
    try {
      await backend.remove({ type: "snapshot", name: id }, { signal });
    } catch (error) {
      signal?.throwIfAborted();
      failed.push({ id, message: messageOf(error) });
      return;
    }
    removed++;
    options.onRemoved?.(id);
  });
  return { removed, failed };
}
