import type { ByteString } from "@comeback/core";
import { formatBytes, formatCount, formatMany } from "../terminal/format-values.ts";
import { printableName } from "../terminal/printable.ts";
import { changedSince } from "./changed-since.ts";
import { compareTrees, type Comparison } from "./compare-trees.ts";
import type { TrialStep } from "./render-trial.ts";
import { type ScannedTree, scanTree } from "./scan-tree.ts";

/** What a folder looked like, and where it should look the same now. */
export interface ComparedPair {
  readonly before: ScannedTree;
  readonly now: ByteString;
}

export interface TrialComparisonOptions {
  /** The first one was repaired in place, the second one restored elsewhere. */
  readonly pairs: readonly [ComparedPair, ComparedPair];
  readonly userFolder: ByteString | undefined;
  /** The folder that was restored into. */
  readonly restored: ByteString;
  /** Our own folder, in case the user's folder contains it. */
  readonly without: ByteString;
  /** When the trial began: what changed later cannot be compared. */
  readonly startMs: number;
  readonly signal: AbortSignal;
}

/** Looks at everything that came back, and compares it with what was there. */
export class TrialComparison {
  readonly #options: TrialComparisonOptions;
  #hasRestored = true;
  #entries = 0;
  #bytes = 0;
  #unreadable = 0;
  #changedMeanwhile = 0;
  readonly #differences: string[] = [];

  constructor(options: TrialComparisonOptions) {
    this.#options = options;
  }

  /** There was no room to restore elsewhere: only what was repaired in place is compared. */
  leaveOutRestored(): void {
    this.#hasRestored = false;
  }

  async run(): Promise<Omit<TrialStep, "elapsedMs">> {
    const { pairs, userFolder, restored, signal } = this.#options;
    for (const { before, now } of this.#hasRestored ? pairs : pairs.slice(0, 1)) {
      this.#take(compareTrees(before, await scanTree(now, { signal }), OWNERS), undefined);
    }
    if (userFolder !== undefined && this.#hasRestored) {
      const { without } = this.#options;
      const before = await scanTree(userFolder, { signal, without: [without] });
      const after = await scanTree(`${restored}${userFolder}`, {
        signal,
        without: [`${restored}${without}`],
      });
      this.#take(compareTrees(before, after, OWNERS), userFolder);
    }
    return this.#finding();
  }

  #take(comparison: Comparison, userFolder: ByteString | undefined): void {
    this.#entries += comparison.comparedEntries;
    this.#bytes += comparison.comparedBytes;
    this.#unreadable += comparison.unreadable.length;
    for (const { path, what } of comparison.differences) {
      const isLive =
        userFolder !== undefined && changedSince(`${userFolder}/${path}`, this.#options.startMs);
      if (isLive) this.#changedMeanwhile++;
      else this.#differences.push(`${printableName(path)}: ${what.join(", ")}`);
    }
  }

  #finding(): Omit<TrialStep, "elapsedMs"> {
    const notes: string[] = [];
    if (this.#changedMeanwhile > 0) {
      const entries = formatMany(this.#changedMeanwhile, "entry", "entries");
      notes.push(`${entries} changed while this ran, and could not be compared`);
    }
    if (this.#unreadable > 0) {
      const entries = formatMany(this.#unreadable, "entry", "entries");
      notes.push(`${entries} could not be read, so nothing is proven of them`);
    }
    const isSame = this.#differences.length === 0;
    const amount = `${formatCount(this.#entries)} entries, ${formatBytes(this.#bytes)}`;
    return {
      what: `compared ${amount}: ${isSame ? "all equal" : "not all equal"}`,
      outcome: !isSame ? "failed" : this.#unreadable > 0 ? "partly" : "ok",
      bytes: this.#bytes,
      details: [...this.#differences, ...notes],
    };
  }
}

/** Only the superuser can give files to others. */
const OWNERS = { ownersMatter: process.getuid?.() === 0 };
