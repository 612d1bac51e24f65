import type { CopyProgress } from "@comeback/engine";
import { formatBytes, formatClock, formatCount, formatMany } from "../terminal/format-values.ts";
import { joinFitting, renderBar } from "../terminal/progress-bar.ts";
import type { ProgressView } from "../terminal/progress-ticker.ts";
import { RateMeter } from "../terminal/rate-meter.ts";

/** What is drawn of a running copy at one moment. */
export interface CopyStatus {
  readonly progress: Readonly<CopyProgress>;
  readonly elapsedMs: number;
  readonly bytesPerSecond: number;
  /** Unknown while the trees are still being read. */
  readonly remainingMs: number | undefined;
}

/** A share of one, once the total is known. */
function shareOf({ phase, bytesDone, bytesTotal }: CopyProgress): number | undefined {
  if (phase === "trees") return undefined;
  return bytesTotal === 0 ? 1 : bytesDone / bytesTotal;
}

export function renderCopyStatus(status: CopyStatus, columns: number): string[] {
  const { progress, elapsedMs, bytesPerSecond, remainingMs } = status;
  const { phase, snapshotsDone, snapshotsTotal, bytesDone, bytesTotal, problems } = progress;
  const first = [
    renderBar(shareOf(progress), columns),
    `${formatCount(snapshotsDone)} / ${formatMany(snapshotsTotal, "snapshot")}`,
    phase === "trees"
      ? `${formatBytes(bytesTotal)} found`
      : `${formatBytes(bytesDone)} / ${formatBytes(bytesTotal)}`,
  ];
  const second = [
    formatClock(elapsedMs),
    remainingMs === undefined ? "" : `${formatClock(remainingMs)} left`,
    bytesPerSecond === 0 ? "" : `${formatBytes(bytesPerSecond)}/s`,
    `${formatBytes(progress.bytesStored)} stored`,
    problems === 0 ? "" : formatMany(problems, "problem"),
    phase === "trees" ? "reading the trees" : "",
  ];
  return [joinFitting(first, columns), joinFitting(second, columns)];
}

export function renderCopyLogLine(status: CopyStatus): string {
  const { progress, elapsedMs, bytesPerSecond, remainingMs } = status;
  const { phase, snapshotsDone, snapshotsTotal, bytesDone, bytesTotal, problems } = progress;
  const parts = [
    `${formatCount(snapshotsDone)} of ${formatMany(snapshotsTotal, "snapshot")}`,
    phase === "trees"
      ? `reading the trees, ${formatBytes(bytesTotal)} found`
      : `${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`,
    ...(bytesPerSecond === 0 ? [] : [`${formatBytes(bytesPerSecond)}/s`]),
    ...(problems === 0 ? [] : [formatMany(problems, "problem")]),
    ...(remainingMs === undefined ? [] : [`${formatClock(remainingMs)} left`]),
  ];
  return `[${formatClock(elapsedMs)}] ${parts.join(", ")}`;
}

/** restic's copy has no status message: these are its names elsewhere. */
export function copyStatusMessage(status: CopyStatus): Record<string, unknown> {
  const { progress, elapsedMs, remainingMs } = status;
  const share = shareOf(progress);
  return {
    message_type: "status",
    seconds_elapsed: Math.floor(elapsedMs / 1000),
    ...(remainingMs === undefined ? {} : { seconds_remaining: Math.ceil(remainingMs / 1000) }),
    ...(share === undefined ? {} : { percent_done: share }),
    snapshots_done: progress.snapshotsDone,
    total_snapshots: progress.snapshotsTotal,
    blobs_done: progress.blobsDone,
    total_blobs: progress.blobsTotal,
    bytes_done: progress.bytesDone,
    total_bytes: progress.bytesTotal,
    bytes_stored: progress.bytesStored,
    ...(progress.problems === 0 ? {} : { error_count: progress.problems }),
  };
}

/** A copy as it is shown while it runs. */
export class CopyView implements ProgressView {
  readonly #progress: Readonly<CopyProgress>;
  readonly #startMs: number;
  readonly #now: () => number;
  readonly #rate: RateMeter = new RateMeter();

  constructor(progress: Readonly<CopyProgress>, now: () => number = () => performance.now()) {
    this.#progress = progress;
    this.#now = now;
    this.#startMs = now();
  }

  lines(columns: number): string[] {
    return renderCopyStatus(this.#status(), columns);
  }

  logLine(): string {
    return renderCopyLogLine(this.#status());
  }

  message(): Record<string, unknown> {
    return copyStatusMessage(this.#status());
  }

  #status(): CopyStatus {
    const { bytesDone, bytesTotal, phase } = this.#progress;
    const now = this.#now();
    this.#rate.add(now, bytesDone);
    const remainingMs =
      phase === "trees" ? undefined : this.#rate.remainingMs(bytesTotal - bytesDone);
    return {
      progress: this.#progress,
      elapsedMs: now - this.#startMs,
      bytesPerSecond: this.#rate.perSecond(),
      remainingMs,
    };
  }
}
