/**
 * The engine as a library: open or make a repository, back up, list, read, restore, check.
 * `docs/reference/library.md` shows how.
 */
export {
  cachedBackend,
  type CachedBackend,
  type CacheOptions,
  defaultCacheDirectory,
} from "./cache/cached-backend.ts";
export {
  type CacheFolder,
  cacheSizeBytes,
  listCaches,
  removeCache,
} from "./cache/cache-directory.ts";
export { checkpointFile, type CheckpointFileOptions } from "./cache/checkpoint-file.ts";
export { startWorkersEarly } from "./cpu-pool/start-worker.ts";
export * from "./crypto/blob-codec.ts";
export { SCRYPT_COST_DEFAULT, type ScryptCost } from "./crypto/key-file.ts";
export * from "./repository/config.ts";
export { examineHotPart, type HotPartState, saveHotConfig } from "./repository/hot-part.ts";
export { instantOfMilliseconds } from "./repository/instant.ts";
export * from "./repository/lock.ts";
export type { LockFile } from "./repository/lock-file.ts";
export {
  addKey,
  changePassword,
  type KeyInfo,
  type KeyList,
  listKeys,
  type NewKeyOptions,
  removeKey,
} from "./repository/keys.ts";
export * from "./repository/repository.ts";
export * from "./repository/snapshots.ts";
export {
  type FoundLock,
  unlock,
  type UnlockOptions,
  type UnlockResult,
} from "./repository/unlock.ts";
export {
  CALENDAR_DURATION_FORMS,
  type CalendarDuration,
  calendarDurationText,
  parseCalendarDuration,
} from "./forget/calendar-duration.ts";
export * from "./forget/execute-forget.ts";
export {
  isEmptyPolicy,
  KEEP_PERIODS,
  type KeepPeriod,
  type KeepPolicy,
  type KeptSnapshot,
} from "./forget/keep-policy.ts";
export * from "./forget/plan-forget.ts";
export * from "./snapshot/change-tags.ts";
export * from "./snapshot/group-snapshots.ts";
export { HOLD_TAG, isHeld } from "./snapshot/hold.ts";
export * from "./snapshot/replace-snapshot.ts";
export * from "./snapshot/snapshot.ts";
export { backup } from "./archive/backup.ts";
export * from "./archive/backup-options.ts";
export {
  type Checkpoint,
  type CheckpointStore,
  findCheckpoint,
  type FindCheckpointOptions,
} from "./archive/checkpoint.ts";
export { readAhead, type ReadAheadSource } from "./archive/read-ahead.ts";
export type { TreeNode } from "./tree/types.ts";
export { check } from "./check/check.ts";
export * from "./check/check-options.ts";
export { CheckMemory, type CheckCoverage, type CoveredPack } from "./check/check-memory.ts";
export { checkMemoryPath, loadCheckMemory, saveCheckMemory } from "./check/memory-file.ts";
export { parseReadDataSubset } from "./check/read-data.ts";
export { cat, CAT_KINDS, type CatRequest, type CatResult } from "./cat/cat.ts";
export * from "./diff/diff-options.ts";
export { diffTrees } from "./diff/diff-trees.ts";
export {
  ARCHIVE_FORMATS,
  type ArchiveFormat,
  dumpFile,
  dumpFolder,
  type DumpFolderOptions,
} from "./dump/dump.ts";
export { copy } from "./copy/copy.ts";
export * from "./copy/copy-options.ts";
export {
  type CopyDestination,
  copyToSeveral,
  type CopyToSeveralOptions,
  type CopyTarget,
} from "./copy/copy-to-several.ts";
export { findEntries, type FindEntriesOptions, type FindOptions } from "./find/find-entries.ts";
export {
  blobsOfPacks,
  findObjects,
  type FindObjectsOptions,
  type FoundObject,
  type WantedObjects,
} from "./find/find-objects.ts";
export type { FoundBlob } from "./index/repository-index.ts";
export * from "./merge/merge-snapshots.ts";
export { type Migration, MIGRATIONS } from "./migrate/migrations.ts";
export { type ConfigKeeper, upgradeConfig, type UpgradeOptions } from "./migrate/upgrade-config.ts";
export { extendRetention, planRetention, retentionOf } from "./retention/extend-retention.ts";
export * from "./retention/retention-options.ts";
export { executeThaw, waitForThaw } from "./thaw/execute-thaw.ts";
export { planThaw } from "./thaw/plan-thaw.ts";
export * from "./thaw/thaw-options.ts";
export { estimateThaw, type ThawEstimate, type ThawPrice } from "./thaw/thaw-price.ts";
export { executeRewrite, type ExecuteRewriteOptions } from "./rewrite/execute-rewrite.ts";
export { planRewrite } from "./rewrite/plan-rewrite.ts";
export * from "./rewrite/rewrite-options.ts";
export { listBlobs } from "./list/list-blobs.ts";
export { readFile } from "./listing/read-file.ts";
export { resolveFolder, resolvePath, type ResolvedPath } from "./listing/resolve-path.ts";
export { type WalkedNode, type WalkOptions, walkSnapshot } from "./listing/walk-snapshot.ts";
export { computeStats, type StatsOptions } from "./stats/compute-stats.ts";
export { computeGrowth, type GrowthOptions, type SnapshotGrowth } from "./stats/growth.ts";
export { type RepositoryStats, STATS_MODES, type StatsMode } from "./stats/stats-types.ts";
export {
  type HotRepairPlan,
  type HotRepairResult,
  planHotRepair,
  repairHot,
  type RepairHotOptions,
} from "./repair/repair-hot.ts";
export {
  type IndexRepairPlan,
  planIndexRepair,
  type PlanIndexRepairOptions,
} from "./repair/index-repair-plan.ts";
export {
  type IndexRepairResult,
  repairIndex,
  type RepairIndexOptions,
} from "./repair/repair-index.ts";
export {
  type PackFinding,
  type PackRepairPlan,
  planPackRepair,
  type PlanPackRepairOptions,
} from "./repair/pack-repair-plan.ts";
export {
  type PackRepairResult,
  repairPacks,
  type RepairPacksOptions,
} from "./repair/repair-packs.ts";
export {
  planSnapshotRepair,
  type PlanSnapshotRepairOptions,
  type SnapshotFinding,
  type SnapshotRepairPlan,
} from "./repair/snapshot-repair-plan.ts";
export {
  repairSnapshots,
  type RepairSnapshotsOptions,
  type SnapshotRepairResult,
} from "./repair/repair-snapshots.ts";
export { planRecover, type PlanRecoverOptions, type RecoverPlan } from "./repair/recover-plan.ts";
export { recover, type RecoverOptions } from "./repair/recover.ts";
export type { Mending, MendingKind } from "./repair/mend-trees.ts";
export type { RepairObserver, RepairProgress } from "./repair/repair-progress.ts";
export { restore } from "./restore/restore.ts";
export * from "./restore/restore-options.ts";
export { executePrune, type ExecutePruneOptions } from "./prune/execute.ts";
export { planPrune, type PreparedPrune } from "./prune/plan.ts";
export * from "./prune/prune-options.ts";
