import type { RepositoryStatistics } from "@comeback/core";
import { shortenMiddle } from "../terminal/display-width.ts";
import { formatBytes, formatCount } from "../terminal/format-values.ts";
import { printableText } from "../terminal/printable.ts";
import { type Column, renderTable } from "../terminal/table.ts";
import { localMinute } from "./render-runs.ts";

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
  const sizesBefore = new Map<string, number>();
  const rows = statistics
    .toReversed()
    .map(({ destination, atMs, snapshots, packs, sizeBytes }) => {
      const before = sizesBefore.get(destination);
      sizesBefore.set(destination, sizeBytes);
      return [
        localMinute(atMs),
        shortenMiddle(printableText(destination), DESTINATION_COLUMNS_MAX),
        formatCount(snapshots),
        formatCount(packs),
        formatBytes(sizeBytes),
        before === undefined ? "" : changeText(sizeBytes - before),
      ];
    })
    .toReversed();
  return renderTable(COLUMNS, rows);
}

function changeText(bytes: number): string {
  if (bytes === 0) return "0";
  return `${bytes > 0 ? "+" : "-"}${formatBytes(Math.abs(bytes))}`;
}
