export * from "./configuration/schema/action.ts";
export * from "./configuration/schema/channel.ts";
export * from "./configuration/schema/configuration.ts";
export * from "./configuration/schema/destination.ts";
export * from "./configuration/schema/plan.ts";
export * from "./configuration/schema/schedule.ts";
export * from "./configuration/schema/source.ts";
export type { SecretReference } from "./configuration/schema/values.ts";
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
