import type { RepositoryStatistics } from "@comeback/core";
import { shortenMiddle } from "../terminal/display-width.ts";
import { formatBytes, formatCount } from "../terminal/format-values.ts";
import { printableText } from "../terminal/printable.ts";
import { type Column, renderTable } from "../terminal/table.ts";
import { localTime } from "./render-runs.ts";

const COLUMNS: readonly Column[] = [
  { title: "When" },
  { title: "Destination" },
  { title: "Snapshots", align: "right" },
  { title: "Packs", align: "right" },
  { title: "Size", align: "right" },
  { title: "Change", align: "right" },
];
const DESTINATION_COLUMNS_MAX = 14;

/** How large repositories were after runs, newest first, each beside the one before. */
export function renderSizes(statistics: readonly RepositoryStatistics[]): string[] {
  if (statistics.length === 0) return ["no sizes were recorded"];
  const rows = statistics.map(({ destination, atMs, snapshots, packs, sizeBytes }, place) => {
    const before = statistics.slice(place + 1).find((other) => other.destination === destination);
    return [
      localTime(atMs).slice(0, "2026-11-28 02:00".length),
      shortenMiddle(printableText(destination), DESTINATION_COLUMNS_MAX),
      formatCount(snapshots),
      formatCount(packs),
      formatBytes(sizeBytes),
      before === undefined ? "" : changeText(sizeBytes - before.sizeBytes),
    ];
  });
  return renderTable(COLUMNS, rows);
}

function changeText(bytes: number): string {
  if (bytes === 0) return "0";
  return `${bytes > 0 ? "+" : "-"}${formatBytes(Math.abs(bytes))}`;
}
