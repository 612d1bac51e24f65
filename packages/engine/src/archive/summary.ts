import { instantOfMilliseconds } from "../repository/instant.ts";
import type { SnapshotSummary } from "../snapshot/snapshot.ts";
import { formatTime } from "../tree/time-text.ts";
import type { ProgressMeter } from "./progress-meter.ts";
import type { TreeCounts } from "./tree-builder.ts";

/** What a snapshot says of the backup that made it. */
export function summaryOf(counted: {
  readonly startMs: number;
  readonly endMs: number;
  readonly meter: ProgressMeter;
  readonly counts: TreeCounts;
}): SnapshotSummary {
  const { startMs, endMs, meter, counts } = counted;
  return {
    backup_start: formatTime(instantOfMilliseconds(startMs)),
    backup_end: formatTime(instantOfMilliseconds(endMs)),
    files_new: meter.filesNew,
    files_changed: meter.filesChanged,
    files_unmodified: meter.filesUnmodified,
    dirs_new: counts.dirsNew,
    dirs_changed: counts.dirsChanged,
    dirs_unmodified: counts.dirsUnmodified,
    data_blobs: meter.dataBlobs,
    tree_blobs: counts.treeBlobs,
    data_added: meter.bytesAdded + counts.bytesAdded,
    data_added_packed: meter.bytesAddedPacked + counts.bytesAddedPacked,
    total_files_processed: meter.live.filesDone,
    total_bytes_processed: meter.live.bytesDone,
  };
}
