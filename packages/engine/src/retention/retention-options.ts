import type { OperationOptions, RepositoryFile } from "@comeback/core";
import type { Repository } from "../repository/repository.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";

export interface PlanRetentionOptions extends OperationOptions {
  /** Open, with its index loaded. */
  readonly repository: Repository;
  readonly snapshots: readonly Snapshot[];
  readonly workers?: number | undefined;
}

/** Every file without which one of the snapshots could not be restored. Plain data. */
export interface RetentionPlan {
  readonly files: readonly RepositoryFile[];
  readonly snapshots: number;
  readonly packs: number;
}

export interface ExtendRetentionOptions extends OperationOptions {
  readonly untilMs: number;
  onExtended?(done: number): void;
}

export interface RetentionResult {
  readonly extended: number;
  /** Files whose time could not be extended, and why. */
  readonly failed: readonly { readonly file: RepositoryFile; readonly message: string }[];
}
