import type { ArchivedPack, ArchiveState, OperationOptions, ThawTier } from "@comeback/core";
import type { Repository } from "../repository/repository.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";

export interface PlanThawOptions extends OperationOptions {
  /** Open, with its index loaded. */
  readonly repository: Repository;
  readonly snapshot: Snapshot;
  /** A path within the snapshot; "/" is all of it. */
  readonly path: string;
  readonly workers?: number | undefined;
}

/** Packs of one class and state. */
export interface ThawGroup {
  readonly storageClass: string;
  readonly state: ArchiveState;
  readonly packs: number;
  readonly bytes: number;
}

/** What a restore needs, and what of it cannot be read now. Plain data; nothing is changed by it. */
export interface ThawPlan {
  readonly groups: readonly ThawGroup[];
  /** Those that are to be asked for. */
  readonly archived: readonly ArchivedPack[];
  /** Those that were asked for already. */
  readonly thawing: readonly ArchivedPack[];
  /** Packs that a restore needs and the store does not have: a check names what that costs. */
  readonly missing: readonly string[];
  /** Tiers that every class in question has, the cheapest first, with the longest wait of them. */
  readonly tiers: readonly ThawTier[];
}

export interface ExecuteThawOptions extends OperationOptions {
  readonly tier: string;
  readonly days: number;
  onAsked?(done: number): void;
}

export interface WaitForThawOptions extends OperationOptions {
  onLook?(look: { readonly readable: number; readonly waiting: number }): void;
}
