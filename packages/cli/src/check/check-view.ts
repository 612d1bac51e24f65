import type { CheckProgress } from "@comeback/engine";
import { formatBytes, formatClock, formatCount, formatMany } from "../terminal/format-values.ts";
import { joinFitting, renderBar } from "../terminal/progress-bar.ts";
import type { ProgressView } from "../terminal/progress-ticker.ts";
import { RateMeter } from "../terminal/rate-meter.ts";

const PHASE_WORDS: Readonly<Record<CheckProgress["phase"], string>> = {
  snapshots: "reading the snapshots",
  index: "reading the index",
  packs: "looking for every pack",
  trees: "reading and following the trees",
  naming: "naming what is affected",
  done: "done",
};

/** What is drawn of a running check at one moment. */
export interface CheckStatus {
  readonly progress: Readonly<CheckProgress>;
  readonly elapsedMs: number;
  readonly bytesPerSecond: number;
  readonly remainingMs: number | undefined;
}

export function renderCheckStatus(status: CheckStatus, columns: number): string[] {
  const { progress, elapsedMs, bytesPerSecond, remainingMs } = status;
  const { phase, packsDone, packsTotal, bytesDone, bytesTotal, problems } = progress;
  const share = bytesTotal > 0 ? bytesDone / bytesTotal : undefined;
  const first = [
    renderBar(share, columns),
    packsTotal === 0 ? "" : `${formatCount(packsDone)} / ${formatCount(packsTotal)} packs`,
    bytesTotal === 0 ? "" : `${formatBytes(bytesDone)} / ${formatBytes(bytesTotal)}`,
  ];
  const second = [
    formatClock(elapsedMs),
    remainingMs === undefined ? "" : `${formatClock(remainingMs)} left`,
    bytesPerSecond === 0 ? "" : `${formatBytes(bytesPerSecond)}/s`,
    problems === 0 ? "" : formatMany(problems, "problem"),
    PHASE_WORDS[phase],
  ];
  return [joinFitting(first, columns), joinFitting(second, columns - 1)];
}

export function renderCheckLogLine(status: CheckStatus): string {
  const { progress, elapsedMs, bytesPerSecond } = status;
  const { phase, packsDone, packsTotal, bytesDone, bytesTotal, problems } = progress;
  const parts = [
    PHASE_WORDS[phase],
    ...(packsTotal === 0 ? [] : [`${formatCount(packsDone)} of ${formatMany(packsTotal, "pack")}`]),
    ...(bytesTotal === 0 ? [] : [`${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`]),
    ...(bytesPerSecond === 0 ? [] : [`${formatBytes(bytesPerSecond)}/s`]),
    ...(problems === 0 ? [] : [formatMany(problems, "problem")]),
  ];
  return `[${formatClock(elapsedMs)}] ${parts.join(", ")}`;
}

/** A check as it is shown while it runs. restic has no status messages for it, so neither has this. */
export class CheckView implements ProgressView {
  readonly #progress: Readonly<CheckProgress>;
  readonly #startMs: number;
  readonly #now: () => number;
  readonly #rate: RateMeter = new RateMeter();

  constructor(progress: Readonly<CheckProgress>, now: () => number = () => performance.now()) {
    this.#progress = progress;
    this.#now = now;
    this.#startMs = now();
  }

  lines(columns: number): string[] {
    return renderCheckStatus(this.#status(), columns);
  }

  logLine(): string {
    return renderCheckLogLine(this.#status());
  }

  #status(): CheckStatus {
    const { bytesDone, bytesTotal } = this.#progress;
    const now = this.#now();
    this.#rate.add(now, bytesDone);
    return {
      progress: this.#progress,
      elapsedMs: now - this.#startMs,
      bytesPerSecond: this.#rate.perSecond(),
      remainingMs: bytesTotal > 0 ? this.#rate.remainingMs(bytesTotal - bytesDone) : undefined,
    };
  }
}
