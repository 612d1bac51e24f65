import type { SnapshotSummary } from "./snapshot.ts";

/** Go's zero time. */
const NO_TIME = "0001-01-01T00:00:00Z";

/** What restic writes where nothing is known of the backup itself. */
export const NO_SUMMARY: SnapshotSummary = {
  backup_start: NO_TIME,
  backup_end: NO_TIME,
  files_new: 0,
  files_changed: 0,
  files_unmodified: 0,
  dirs_new: 0,
  dirs_changed: 0,
  dirs_unmodified: 0,
  data_blobs: 0,
  tree_blobs: 0,
  data_added: 0,
  data_added_packed: 0,
  total_files_processed: 0,
  total_bytes_processed: 0,
};
