import { displayText } from "@comeback/core";
import type { BackupProgress } from "@comeback/engine";
import {
  formatBytes,
  formatClock,
  formatCount,
  formatMany,
  formatPercent,
} from "../terminal/format-values.ts";
import { printableName } from "../terminal/printable.ts";
import { joinFitting, lineWithName, renderBar } from "../terminal/progress-bar.ts";
import type { ProgressView } from "../terminal/progress-ticker.ts";
import { RateMeter } from "../terminal/rate-meter.ts";

/** What is drawn of a running backup at one moment. */
export interface BackupStatus {
  readonly progress: Readonly<BackupProgress>;
  readonly elapsedMs: number;
  readonly bytesPerSecond: number;
  /** Unknown while the source is still being counted. */
  readonly remainingMs: number | undefined;
}

/** A share of one, once the total is known. */
function shareOf({ progress }: BackupStatus): number | undefined {
  const { totalsKnown, bytesDone, bytesTotal, filesDone, filesTotal } = progress;
  if (!totalsKnown) return undefined;
  if (bytesTotal > 0) return Math.min(1, bytesDone / bytesTotal);
  return filesTotal > 0 ? Math.min(1, filesDone / filesTotal) : 0;
}

/** Two lines: how far, and how fast with the file that is under way. */
export function renderBackupStatus(status: BackupStatus, columns: number): string[] {
  const { progress, elapsedMs, bytesPerSecond, remainingMs } = status;
  const { filesDone, filesTotal, bytesDone, bytesTotal, totalsKnown } = progress;
  const ofFiles = totalsKnown ? ` / ${formatCount(filesTotal)}` : "";
  const ofBytes = totalsKnown ? ` / ${formatBytes(bytesTotal)}` : "";
  const first = joinFitting(
    [
      renderBar(shareOf(status), columns),
      `${formatCount(filesDone)}${ofFiles} files`,
      `${formatBytes(bytesDone)}${ofBytes}`,
    ],
    columns,
  );
  const second = joinFitting(
    [
      formatClock(elapsedMs),
      remainingMs === undefined ? "" : `${formatClock(remainingMs)} left`,
      `${formatBytes(bytesPerSecond)}/s`,
      `${formatBytes(progress.bytesStored)} stored`,
      progress.problems === 0 ? "" : formatMany(progress.problems, "problem"),
    ],
    columns,
  );
  return [first, lineWithName(second, printableName(progress.currentFile), columns)];
}

/** One line for a log. */
export function renderBackupLogLine(status: BackupStatus): string {
  const { progress, elapsedMs, bytesPerSecond, remainingMs } = status;
  const share = shareOf(status);
  const parts = [
    `${formatMany(progress.filesDone, "file")}, ${formatBytes(progress.bytesDone)} done`,
    ...(share === undefined
      ? []
      : [`${formatPercent(share)} of ${formatBytes(progress.bytesTotal)}`]),
    `${formatBytes(bytesPerSecond)}/s`,
    `${formatBytes(progress.bytesStored)} stored`,
    ...(progress.problems === 0 ? [] : [formatMany(progress.problems, "problem")]),
    ...(remainingMs === undefined ? [] : [`${formatClock(remainingMs)} left`]),
  ];
  return `[${formatClock(elapsedMs)}] ${parts.join(", ")}`;
}

/** restic's status message; fields that are zero or empty are left out, as there. */
export function backupStatusMessage(status: BackupStatus): Record<string, unknown> {
  const { progress, elapsedMs, remainingMs } = status;
  const { filesDone, bytesDone, problems, currentFile, totalsKnown } = progress;
  // Totals that still grow would make a share that shrinks.
  const filesTotal = totalsKnown ? progress.filesTotal : 0;
  const bytesTotal = totalsKnown ? progress.bytesTotal : 0;
  const secondsRemaining = remainingMs === undefined ? 0 : Math.floor(remainingMs / 1000);
  const secondsElapsed = Math.floor(elapsedMs / 1000);
  return {
    message_type: "status",
    ...(secondsElapsed === 0 ? {} : { seconds_elapsed: secondsElapsed }),
    ...(secondsRemaining === 0 ? {} : { seconds_remaining: secondsRemaining }),
    percent_done: bytesTotal === 0 ? 0 : Math.min(1, bytesDone / bytesTotal),
    ...(filesTotal === 0 ? {} : { total_files: filesTotal }),
    ...(filesDone === 0 ? {} : { files_done: filesDone }),
    ...(bytesTotal === 0 ? {} : { total_bytes: bytesTotal }),
    ...(bytesDone === 0 ? {} : { bytes_done: bytesDone }),
    ...(problems === 0 ? {} : { error_count: problems }),
    ...(currentFile === "" ? {} : { current_files: [displayText(currentFile)] }),
  };
}

/** A backup as it is shown while it runs. */
export class BackupView implements ProgressView {
  readonly #progress: Readonly<BackupProgress>;
  readonly #startMs: number;
  readonly #now: () => number;
  readonly #rate: RateMeter = new RateMeter();

  constructor(progress: Readonly<BackupProgress>, now: () => number = () => performance.now()) {
    this.#progress = progress;
    this.#now = now;
    this.#startMs = now();
  }

  lines(columns: number): string[] {
    return renderBackupStatus(this.#status(), columns);
  }

  logLine(): string {
    return renderBackupLogLine(this.#status());
  }

  message(): Record<string, unknown> {
    return backupStatusMessage(this.#status());
  }

  #status(): BackupStatus {
    const { bytesDone, bytesTotal, totalsKnown } = this.#progress;
    const now = this.#now();
    this.#rate.add(now, bytesDone);
    return {
      progress: this.#progress,
      elapsedMs: now - this.#startMs,
      bytesPerSecond: this.#rate.perSecond(),
      remainingMs: totalsKnown ? this.#rate.remainingMs(bytesTotal - bytesDone) : undefined,
    };
  }
}
