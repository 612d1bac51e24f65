import type { CopyOutcome, CopyProblem, CopyResult } from "@comeback/engine";
import { shortId } from "../snapshots/render-snapshots.ts";
import {
  formatBytes,
  formatDuration,
  formatLocalTime,
  formatMany,
  formatRate,
} from "../terminal/format-values.ts";
import type { Palette } from "../terminal/palette.ts";
import { printableText } from "../terminal/printable.ts";

/** restic writes it on every page about copy: here it is said when it matters. */
export const OTHER_CHUNKER: string =
  "the two repositories cut files at different places, so contents that both have are not " +
  "recognised: what is copied may take its full space beside what the target backs up itself; " +
  "a target made by `init --copy-chunker-params` would share it";

/** What became of one snapshot, in a line. */
export function renderOutcome({ snapshot, action, copy }: CopyOutcome, palette: Palette): string {
  const { id, time, hostname = "", paths } = snapshot;
  const from = [formatLocalTime(time), hostname, paths.join(", ")].filter((part) => part !== "");
  const title = printableText(`snapshot ${shortId(id)} from ${from.join(" ")}`);
  const other = copy === undefined ? "" : shortId(copy.id);
  switch (action) {
    case "copied":
      return `${title}: ${palette.green(`saved as ${other}`)}`;
    case "skipped":
      return `${title}: there already as ${other}`;
    case "planned":
      return `${title}: would be copied`;
    case "failed":
      return `${palette.red("error:")} ${title}: not copied, for parts of it are damaged or missing`;
  }
}

/** The same for a program; restic has no such message. */
export function outcomeMessage({ snapshot, action, copy }: CopyOutcome): string {
  return JSON.stringify({
    message_type: "snapshot",
    action,
    source_id: snapshot.id,
    ...(copy === undefined ? {} : { snapshot_id: copy.id }),
    time: snapshot.time,
    hostname: snapshot.hostname,
    paths: snapshot.paths,
  });
}

export function copyErrorMessage({ message }: CopyProblem): string {
  return JSON.stringify({ message_type: "error", message });
}

export function copyWarningMessage(message: string): string {
  return JSON.stringify({ message_type: "warning", message });
}

export interface FinishedCopy {
  readonly result: CopyResult;
  readonly elapsedMs: number;
  readonly dryRun: boolean;
  /** Bytes of the source that a dry run found to be missing. */
  readonly wantedBytes: number;
}

export function renderCopySummary({ result, elapsedMs, ...rest }: FinishedCopy): string[] {
  const { outcomes, copied, skipped, failed, bytesStored } = result;
  const planned = outcomes.filter(({ action }) => action === "planned").length;
  const counts = [
    rest.dryRun ? `${formatMany(planned, "snapshot")} to copy` : formatMany(copied, "snapshot"),
    ...(skipped === 0 ? [] : [`${skipped} there already`]),
    ...(failed === 0 ? [] : [`${failed} not possible`]),
  ];
  if (rest.dryRun) {
    const bytes = formatBytes(rest.wantedBytes);
    return ["", `dry run, nothing was written: ${counts.join(", ")}; about ${bytes} are missing`];
  }
  const blobs = `${formatMany(result.dataBlobs, "blob")} of data, ${result.treeBlobs} of folder trees`;
  const speed = `in ${formatDuration(elapsedMs)} (${formatRate(bytesStored, elapsedMs)})`;
  return [
    "",
    `copied ${counts.join(", ")}`,
    bytesStored === 0
      ? `nothing new to store, ${formatDuration(elapsedMs)}`
      : `stored ${formatBytes(bytesStored)} ${speed}: ${blobs}`,
  ];
}

export function copySummaryMessage({
  result,
  elapsedMs,
  dryRun,
  wantedBytes,
}: FinishedCopy): string {
  return JSON.stringify({
    message_type: "summary",
    ...(dryRun ? { dry_run: true } : {}),
    snapshots_copied: result.copied,
    snapshots_skipped: result.skipped,
    snapshots_failed: result.failed,
    data_blobs: result.dataBlobs,
    tree_blobs: result.treeBlobs,
    bytes_wanted: wantedBytes,
    bytes_read: result.bytesRead,
    bytes_stored: result.bytesStored,
    same_chunker: result.sameChunker,
    total_duration: elapsedMs / 1000,
  });
}
