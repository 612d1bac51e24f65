import type { RewriteProgress } from "@comeback/engine";
import { formatCount, formatMany } from "../terminal/format-values.ts";
import { joinFitting, renderBar } from "../terminal/progress-bar.ts";
import type { ProgressView } from "../terminal/progress-ticker.ts";

/** How far the reading of the snapshots' folders is. */
export class RewriteView implements ProgressView {
  readonly #progress: Readonly<RewriteProgress>;

  constructor(progress: Readonly<RewriteProgress>) {
    this.#progress = progress;
  }

  lines(columns: number): string[] {
    const { snapshotsDone, snapshotsTotal } = this.#progress;
    const bar = renderBar(snapshotsDone / Math.max(1, snapshotsTotal), columns);
    return [joinFitting([bar, this.logLine()], columns)];
  }

  logLine(): string {
    const { snapshotsDone, snapshotsTotal, folders } = this.#progress;
    const snapshots = `${formatCount(snapshotsDone)} of ${formatMany(snapshotsTotal, "snapshot")}`;
    return `${snapshots}, ${formatMany(folders, "folder")} read`;
  }
}
