import type { Snapshot, SnapshotGroupKey } from "@comeback/engine";
import { formatBytes, formatLocalTime } from "../terminal/format-values.ts";
import { printableText } from "../terminal/printable.ts";
import { type Cell, type Column, renderTable } from "../terminal/table.ts";

export function shortId(id: string): string {
  return id.slice(0, 8);
}

/** restic's JSON of one snapshot, with its ids. */
export function snapshotMessage(snapshot: Snapshot): Record<string, unknown> {
  return { ...snapshot, id: snapshot.id, short_id: shortId(snapshot.id) };
}

/** A line that tells a snapshot from others, for the head of a listing or a restore. */
export function snapshotTitle(snapshot: Snapshot): string {
  const { id, paths, time, username, hostname } = snapshot;
  const owner = [username, hostname].filter((part) => part !== undefined && part !== "").join("@");
  const by = owner === "" ? "" : ` by ${owner}`;
  const what = paths.length === 0 ? "" : ` of ${paths.join(", ")}`;
  return printableText(`snapshot ${shortId(id)} from ${formatLocalTime(time)}${by}${what}`);
}

/** The table of `comeback snapshots`, oldest first. */
export function renderSnapshots(snapshots: readonly Snapshot[], compact: boolean): string[] {
  if (snapshots.length === 0) return ["no snapshots"];
  const sized = snapshots.some(({ summary }) => summary !== undefined);
  const columns: Column[] = [
    { title: "ID" },
    { title: "Time" },
    { title: "Host" },
    { title: "Tags" },
    ...(compact ? [] : [{ title: "Paths" }]),
    ...(sized ? [{ title: "Size", align: "right" as const }] : []),
  ];
  const rows = snapshots.map((snapshot): Cell[] => {
    const tags = (snapshot.tags ?? []).map(printableText);
    const bytes = snapshot.summary?.total_bytes_processed;
    return [
      shortId(snapshot.id),
      formatLocalTime(snapshot.time),
      printableText(snapshot.hostname ?? ""),
      tags.join(","),
      ...(compact ? [] : [snapshot.paths.map(printableText)]),
      ...(sized ? [bytes === undefined ? "" : formatBytes(bytes)] : []),
    ];
  });
  const count = snapshots.length;
  return renderTable(columns, rows, `${count} ${count === 1 ? "snapshot" : "snapshots"}`);
}

/** The line above a group, in restic's words. */
export function renderGroupTitle({ hostname, tags, paths }: SnapshotGroupKey): string {
  const parts = [
    ...(hostname === "" ? [] : [`host [${hostname}]`]),
    ...(tags === null ? [] : [`tags [${tags.join(", ")}]`]),
    ...(paths === null ? [] : [`paths [${paths.join(", ")}]`]),
  ];
  return printableText(`snapshots for (${parts.join(", ")}):`);
}
