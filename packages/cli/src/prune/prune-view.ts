import type { PruneProgress } from "@comeback/engine";
import { formatBytes, formatClock, formatCount, formatMany } from "../terminal/format-values.ts";
import { joinFitting, renderBar } from "../terminal/progress-bar.ts";
import type { ProgressView } from "../terminal/progress-ticker.ts";

const PHASE_WORDS: Readonly<Record<PruneProgress["phase"], string>> = {
  snapshots: "reading the snapshots",
  index: "reading the index",
  trees: "finding what is in use",
  packs: "listing the packs",
  repack: "copying what is in use",
  rewrite: "replacing the index",
  delete: "deleting packs",
  done: "done",
};

/** A prune as it is shown while it runs. restic has no status messages for it, so neither has this. */
export class PruneView implements ProgressView {
  readonly #progress: Readonly<PruneProgress>;
  readonly #startMs: number;
  readonly #now: () => number;

  constructor(progress: Readonly<PruneProgress>, now: () => number = () => performance.now()) {
    this.#progress = progress;
    this.#now = now;
    this.#startMs = now();
  }

  lines(columns: number): string[] {
    const { phase, bytesDone, bytesTotal } = this.#progress;
    const share = phase === "repack" && bytesTotal > 0 ? bytesDone / bytesTotal : undefined;
    const parts = [renderBar(share, columns), ...this.#counts()];
    return [joinFitting(parts, columns), joinFitting([this.#clock(), PHASE_WORDS[phase]], columns)];
  }

  logLine(): string {
    const parts = [PHASE_WORDS[this.#progress.phase], ...this.#counts()];
    return `[${this.#clock()}] ${parts.join(", ")}`;
  }

  #clock(): string {
    return formatClock(this.#now() - this.#startMs);
  }

  #counts(): string[] {
    const { phase, trees, packsDone, packsTotal, bytesDone, bytesTotal } = this.#progress;
    if (phase === "trees" || phase === "packs") return [formatMany(trees, "folder tree")];
    if (phase !== "repack" || packsTotal === 0) return [];
    return [
      `${formatCount(packsDone)} / ${formatMany(packsTotal, "pack")}`,
      `${formatBytes(bytesDone)} / ${formatBytes(bytesTotal)}`,
    ];
  }
}
