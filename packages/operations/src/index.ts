export * from "./configuration/schema/action.ts";
export * from "./configuration/schema/channel.ts";
export * from "./configuration/schema/configuration.ts";
export * from "./configuration/schema/destination.ts";
export * from "./configuration/schema/plan.ts";
export * from "./configuration/schema/schedule.ts";
export * from "./configuration/schema/source.ts";
export type { SecretReference } from "./configuration/schema/values.ts";
export * from "./copies/order-copies.ts";
export * from "./copies/select-snapshots.ts";
export type { Channel } from "./notify/channel.ts";
export {
  type ChannelReport,
  type DispatcherOptions,
  NotificationDispatcher,
  type TellOptions,
} from "./notify/dispatcher.ts";
export { notificationOfRun } from "./notify/notification-of-run.ts";
export { type Exclusively, stateLock } from "./notify/state-lock.ts";
export * from "./retention/plan-retention.ts";
export * from "./retention/simulate-retention.ts";
export * from "./runs/absent-catalog.ts";
export * from "./runs/bootstrap-kit.ts";
export * from "./runs/compare-with-history.ts";
export * from "./runs/run-plan.ts";
export * from "./runs/run-services.ts";
export * from "./runs/run-state.ts";
export * from "./runs/timezone-of.ts";
export * from "./schedule/jitter.ts";
export * from "./schedule/lane.ts";
export * from "./schedule/parse-trigger.ts";
export * from "./schedule/plan-lanes.ts";
export * from "./schedule/quiet-windows.ts";
export * from "./schedule/timetable.ts";
export type { DayPattern, Trigger } from "./schedule/trigger.ts";
export { systemZone } from "./schedule/wall-clock.ts";
export * from "./status/assess-plan.ts";
export { type RecoveryTime, recoveryTimeOf, recoveryTimeText } from "./status/recovery-time.ts";
export * from "./hooks/index.ts";
export * from "./undo/index.ts";
export { nearest } from "./configuration/nearest.ts";
export { findConfiguration, noConfiguration } from "./configuration/find-configuration.ts";
export { configurationJsonSchemaText } from "./configuration/json-schema.ts";
export { configurationReference } from "./configuration/reference-page.ts";
export {
  loadConfiguration,
  type LoadedConfiguration,
  type LoadOptions,
  type Position,
} from "./configuration/load-configuration.ts";
export {
  referenceText,
  resolveSecret,
  resolveText,
  type SecretWorld,
} from "./configuration/secrets.ts";
export { resolvedPlan, resolvedPlanText } from "./configuration/resolved-plan.ts";
export { ProcessLock, type ProcessLockOptions } from "./process-lock.ts";
export * from "./state-folder.ts";
export * from "./status/next-runs.ts";
export { fileChanges, type FileChangesOptions } from "./catalog/file-changes.ts";
export {
  rebuildCatalog,
  type RebuildCatalogOptions,
  type RebuildSummary,
} from "./catalog/rebuild-catalog.ts";
export {
  recordSnapshotFiles,
  type RecordSnapshotFilesOptions,
} from "./catalog/record-snapshot-files.ts";
export { readSnapshotTags, type RunTags, snapshotTags, sourceTags } from "./runs/snapshot-tags.ts";
export { stateFolder } from "./state-folder.ts";
