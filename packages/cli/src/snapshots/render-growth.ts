import type { SnapshotGrowth } from "@comeback/engine";
import { formatBytes, formatCount, formatLocalTime } from "../terminal/format-values.ts";
import { renderTable } from "../terminal/table.ts";
import { shortId } from "./render-snapshots.ts";

/** One line a snapshot, oldest first. */
export function renderGrowth(growth: readonly SnapshotGrowth[]): string[] {
  const columns = [
    { title: "ID" },
    { title: "Time" },
    { title: "Files", align: "right" as const },
    { title: "Blobs", align: "right" as const },
    { title: "Added", align: "right" as const },
    { title: "Total", align: "right" as const },
    { title: "Dedup", align: "right" as const },
  ];
  const rows = growth.map((item) => [
    shortId(item.snapshot.id),
    formatLocalTime(item.snapshot.time),
    formatBytes(item.logicalBytes),
    formatCount(item.addedBlobs),
    formatBytes(item.addedStoredBytes),
    formatBytes(item.totalStoredBytes),
    `${item.dedupRatio.toFixed(2)} to 1`,
  ]);
  return renderTable(columns, rows);
}

/** Ours alone: restic has no such mode. */
export function growthMessage(growth: readonly SnapshotGrowth[]): Record<string, unknown> {
  return {
    mode: "growth",
    snapshots: growth.map((item) => ({
      id: item.snapshot.id,
      time: item.snapshot.time,
      logical_size: item.logicalBytes,
      added_blobs: item.addedBlobs,
      added_size: item.addedBytes,
      added_size_stored: item.addedStoredBytes,
      total_size_stored: item.totalStoredBytes,
      dedup_ratio: item.dedupRatio,
    })),
  };
}
