import type { OperationOptions } from "@comeback/core";
import type { Snapshot } from "../snapshot/snapshot.ts";

/** The words of restic's `stats --mode`. */
export type StatsMode = "restore-size" | "files-by-contents" | "raw-data" | "blobs-per-file";

export const STATS_MODES: readonly StatsMode[] = [
  "restore-size",
  "files-by-contents",
  "raw-data",
  "blobs-per-file",
];

/** With the names and the order of restic's `stats --json`, which leaves out what is zero. */
export interface RepositoryStats {
  readonly total_size: number;
  readonly total_uncompressed_size?: number;
  readonly compression_ratio?: number;
  readonly compression_progress?: number;
  readonly compression_space_saving?: number;
  readonly total_file_count?: number;
  readonly total_blob_count?: number;
  readonly snapshots_count: number;
}

/** One way of counting. */
export interface StatsCounter {
  addSnapshot(snapshot: Snapshot, options: OperationOptions): Promise<void>;
  result(): Omit<RepositoryStats, "snapshots_count">;
}
