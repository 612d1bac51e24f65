import type { RestoreProgress } from "@comeback/engine";
import { formatBytes, formatClock, formatCount, formatMany } from "../terminal/format-values.ts";
import { printableName } from "../terminal/printable.ts";
import { joinFitting, lineWithName, renderBar } from "../terminal/progress-bar.ts";
import type { ProgressView } from "../terminal/progress-ticker.ts";
import { RateMeter } from "../terminal/rate-meter.ts";

/** What is drawn of a running restore at one moment. */
export interface RestoreStatus {
  readonly progress: Readonly<RestoreProgress>;
  readonly elapsedMs: number;
  readonly bytesPerSecond: number;
  readonly remainingMs: number | undefined;
}

/** What the stage at hand has done, and has to do. */
function stageOf({ stage, ...progress }: Readonly<RestoreProgress>): {
  readonly files: number;
  readonly bytes: number;
} {
  return stage === "verify"
    ? { files: progress.filesVerified, bytes: progress.bytesVerified }
    : { files: progress.filesDone, bytes: progress.bytesDone };
}

export function renderRestoreStatus(status: RestoreStatus, columns: number): string[] {
  const { progress, elapsedMs, bytesPerSecond, remainingMs } = status;
  const { filesTotal, bytesTotal, filesSkipped, problems, stage } = progress;
  const { files, bytes } = stageOf(progress);
  const share =
    bytesTotal > 0 ? bytes / bytesTotal : filesTotal > 0 ? files / filesTotal : undefined;
  const first = joinFitting(
    [
      renderBar(share, columns),
      `${formatCount(files)} / ${formatCount(filesTotal)} entries`,
      `${formatBytes(bytes)} / ${formatBytes(bytesTotal)}`,
    ],
    columns,
  );
  const second = joinFitting(
    [
      formatClock(elapsedMs),
      remainingMs === undefined ? "" : `${formatClock(remainingMs)} left`,
      `${formatBytes(bytesPerSecond)}/s`,
      stage === "verify" ? "verifying" : "",
      filesSkipped === 0 ? "" : `${formatCount(filesSkipped)} skipped`,
      problems === 0 ? "" : formatMany(problems, "problem"),
    ],
    columns,
  );
  return [first, lineWithName(second, printableName(progress.currentFile), columns)];
}

export function renderRestoreLogLine(status: RestoreStatus): string {
  const { progress, elapsedMs, bytesPerSecond } = status;
  const { files, bytes } = stageOf(progress);
  const verb = progress.stage === "verify" ? "verified" : "restored";
  const parts = [
    `${formatCount(files)} of ${formatMany(progress.filesTotal, "entry", "entries")} ${verb}`,
    `${formatBytes(bytes)} of ${formatBytes(progress.bytesTotal)}`,
    `${formatBytes(bytesPerSecond)}/s`,
    ...(progress.problems === 0 ? [] : [formatMany(progress.problems, "problem")]),
  ];
  return `[${formatClock(elapsedMs)}] ${parts.join(", ")}`;
}

/** The counts that restic's status and summary have in common; zero is left out, as there. */
export function restoreCounts(progress: Readonly<Omit<RestoreProgress, "stage" | "currentFile">>): {
  readonly [field: string]: number;
} {
  const counts = {
    total_files: progress.filesTotal,
    files_restored: progress.filesDone,
    files_skipped: progress.filesSkipped,
    files_deleted: progress.filesDeleted,
    total_bytes: progress.bytesTotal,
    bytes_restored: progress.bytesDone,
    bytes_skipped: progress.bytesSkipped,
  };
  return Object.fromEntries(Object.entries(counts).filter(([, value]) => value !== 0));
}

/** restic's status message. */
export function restoreStatusMessage(status: RestoreStatus): Record<string, unknown> {
  const { progress, elapsedMs } = status;
  const seconds = Math.floor(elapsedMs / 1000);
  const { bytesDone, bytesTotal } = progress;
  return {
    message_type: "status",
    ...(seconds === 0 ? {} : { seconds_elapsed: seconds }),
    percent_done: bytesTotal === 0 ? 0 : Math.min(1, bytesDone / bytesTotal),
    ...restoreCounts(progress),
  };
}

/** A restore as it is shown while it runs. */
export class RestoreView implements ProgressView {
  readonly #progress: Readonly<RestoreProgress>;
  readonly #startMs: number;
  readonly #now: () => number;
  #rate: RateMeter = new RateMeter();
  #stage: RestoreProgress["stage"] = "restore";

  constructor(progress: Readonly<RestoreProgress>, now: () => number = () => performance.now()) {
    this.#progress = progress;
    this.#now = now;
    this.#startMs = now();
  }

  lines(columns: number): string[] {
    return renderRestoreStatus(this.#status(), columns);
  }

  logLine(): string {
    return renderRestoreLogLine(this.#status());
  }

  message(): Record<string, unknown> {
    return restoreStatusMessage(this.#status());
  }

  #status(): RestoreStatus {
    const { stage, bytesTotal, totalsKnown } = this.#progress;
    if (stage !== this.#stage) this.#rate = new RateMeter();
    this.#stage = stage;
    const { bytes } = stageOf(this.#progress);
    const now = this.#now();
    this.#rate.add(now, bytes);
    return {
      progress: this.#progress,
      elapsedMs: now - this.#startMs,
      bytesPerSecond: this.#rate.perSecond(),
      remainingMs: totalsKnown ? this.#rate.remainingMs(bytesTotal - bytes) : undefined,
    };
  }
}
