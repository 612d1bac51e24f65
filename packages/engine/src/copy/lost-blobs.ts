import { PROBLEMS_KEPT_MAX } from "@comeback/core";
import { BitSet } from "../check/bit-set.ts";
import type { BlobTable } from "../index/blob-table.ts";
import type { CopyObserver, CopyProblem, CopyProgress } from "./copy-options.ts";

/** Blobs of the source that nothing gives: by their canonical entries, and as problems to be told. */
export class LostBlobs {
  readonly bits: BitSet;
  readonly problems: CopyProblem[] = [];
  count = 0;
  problemCount = 0;
  /** Whether data blobs are among them: then trees have to be asked who uses them. */
  hasData = false;
  readonly #table: BlobTable;
  readonly #progress: CopyProgress;
  readonly #observer: CopyObserver | undefined;
  readonly #named = new Set<string>();

  constructor(table: BlobTable, progress: CopyProgress, observer: CopyObserver | undefined) {
    this.bits = BitSet.create(table.count);
    this.#table = table;
    this.#progress = progress;
    this.#observer = observer;
  }

  /** A blob that cannot be read. Of each pack the first one is named. */
  addUnreadable(entry: number, packId: string, why: string): void {
    if (!this.#add(entry) || this.#named.has(packId)) return;
    this.#named.add(packId);
    this.#tell({ packId, message: `pack ${packId.slice(0, 10)} is damaged or missing: ${why}` });
  }

  /** A tree that can be read, but not all that it names. */
  addIncomplete(tree: number, why: string): void {
    if (!this.#add(tree)) return;
    const id = this.#table.idOf(tree).slice(0, 8);
    this.#tell({ message: `tree ${id} is not complete: ${why}` });
  }

  /** A snapshot that leads nowhere. */
  addRootless(snapshotId: string, tree: string): void {
    const what = `snapshot ${snapshotId.slice(0, 8)} is not complete`;
    this.#tell({ message: `${what}: tree blob ${tree.slice(0, 8)} is not in the index` });
  }

  #add(entry: number): boolean {
    if (!this.bits.add(entry)) return false;
    this.count++;
    this.hasData ||= this.#table.typeOf(entry) === "data";
    return true;
  }

  #tell(problem: CopyProblem): void {
    this.problemCount++;
    this.#progress.problems = this.problemCount;
    if (this.problems.length < PROBLEMS_KEPT_MAX) this.problems.push(problem);
    this.#observer?.onProblem?.(problem);
  }
}
