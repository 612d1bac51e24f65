import { formatCount, formatMany } from "../terminal/format-values.ts";
import { joinFitting, renderBar } from "../terminal/progress-bar.ts";
import type { ProgressView } from "../terminal/progress-ticker.ts";

/** How many of the snapshots that go are gone. */
export class RemovalView implements ProgressView {
  readonly #total: number;
  #removed = 0;

  constructor(total: number) {
    this.#total = total;
  }

  add(): void {
    this.#removed++;
  }

  lines(columns: number): string[] {
    const bar = renderBar(this.#removed / this.#total, columns);
    return [joinFitting([bar, this.logLine()], columns)];
  }

  logLine(): string {
    return `removed ${formatCount(this.#removed)} of ${formatMany(this.#total, "snapshot")}`;
  }
}
