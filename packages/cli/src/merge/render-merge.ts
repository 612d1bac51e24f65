import type { MergePlan, Snapshot } from "@comeback/engine";
import { snapshotTitle } from "../snapshots/render-snapshots.ts";
import { formatBytes, formatLocalTime, formatMany } from "../terminal/format-values.ts";
import { printableText } from "../terminal/printable.ts";

/** What is merged, newest first, and what comes out. */
export function renderMergePlan({ merged, result, forget, dryRun }: MergePlan): string[] {
  const { time, hostname = "", paths, summary } = result;
  const files = formatMany(summary?.total_files_processed ?? 0, "file");
  const size = formatBytes(summary?.total_bytes_processed ?? 0);
  const removal = forget ? ", which would then be removed" : "";
  return [
    "merging, where the first ones win over the later ones:",
    ...merged.map((snapshot) => `  ${snapshotTitle(snapshot)}`),
    `into ${files} of ${size}:`,
    `  ${formatLocalTime(time)} of ${printableText(hostname)}: ${printableText(paths.join(", "))}`,
    ...(dryRun ? [`would save one snapshot made of ${merged.length}${removal}`] : []),
  ];
}

/** One JSON document of all; restic has none. */
export function mergeMessage(plan: MergePlan, saved: Snapshot | undefined): string {
  const { merged, result, forget, dryRun } = plan;
  const { time, tree, hostname, paths, summary } = result;
  return JSON.stringify({
    message_type: "summary",
    dry_run: dryRun,
    ...(saved === undefined ? {} : { snapshot_id: saved.id }),
    tree,
    time,
    hostname,
    paths,
    total_files_processed: summary?.total_files_processed,
    total_bytes_processed: summary?.total_bytes_processed,
    merged: merged.map(({ id }) => id),
    merged_removed: forget && saved !== undefined,
  });
}
