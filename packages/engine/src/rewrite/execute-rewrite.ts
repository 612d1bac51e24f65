import type { OperationOptions } from "@comeback/core";
import type { Repository } from "../repository/repository.ts";
import { saveSnapshot } from "../repository/snapshots.ts";
import { changedSnapshot, replaceSnapshot } from "../snapshot/replace-snapshot.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { RewritePlan } from "./rewrite-options.ts";

export interface ExecuteRewriteOptions extends OperationOptions {
  /** Told of each snapshot that is saved; where the plan says so, the old one is gone by then. */
  onSaved?(old: Snapshot, saved: Snapshot): void;
}

/** Saves what the plan says, one snapshot after the other: wherever it stops, all that are there are whole. */
export async function executeRewrite(
  repository: Repository,
  plan: RewritePlan,
  { signal, onSaved }: ExecuteRewriteOptions = {},
): Promise<Snapshot[]> {
  if (plan.dryRun) throw new Error("the trees of a dry run are not stored");
  const saved: Snapshot[] = [];
  for (const { snapshot, changes } of plan.items) {
    signal?.throwIfAborted();
    const rewritten = plan.forget
      ? await replaceSnapshot(repository, snapshot, changes, { signal })
      : await saveSnapshot(repository, changedSnapshot(snapshot, changes), { signal });
    saved.push(rewritten);
    onSaved?.(snapshot, rewritten);
  }
  return saved;
}
