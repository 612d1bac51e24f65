import type { RepairProgress } from "@comeback/engine";
import { formatCount } from "../terminal/format-values.ts";
import { joinFitting, renderBar } from "../terminal/progress-bar.ts";
import type { ProgressView } from "../terminal/progress-ticker.ts";

const PHASE_WORDS: Readonly<Record<RepairProgress["phase"], string>> = {
  index: "reading the index files",
  packs: "reading packs",
  trees: "reading folder trees",
  writing: "writing",
  removing: "removing what is replaced",
  done: "done",
};

/** A repair as it is shown while it runs. restic has no status messages for it. */
export class RepairView implements ProgressView {
  readonly #progress: Readonly<RepairProgress>;

  constructor(progress: Readonly<RepairProgress>) {
    this.#progress = progress;
  }

  lines(columns: number): string[] {
    const { done, total } = this.#progress;
    const share = total > 0 ? done / total : undefined;
    return [joinFitting([renderBar(share, columns), this.logLine()], columns)];
  }

  logLine(): string {
    const { phase, done, total } = this.#progress;
    if (total === 0 && done === 0) return PHASE_WORDS[phase];
    const of = total > 0 ? ` of ${formatCount(total)}` : "";
    return `${PHASE_WORDS[phase]}: ${formatCount(done)}${of}`;
  }
}
