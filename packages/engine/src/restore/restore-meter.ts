import { type ByteString, PROBLEMS_KEPT_MAX } from "@comeback/core";
import type { SnapshotSummary } from "../snapshot/snapshot.ts";
import type {
  RestoredItem,
  RestoreObserver,
  RestoreProblem,
  RestoreProgress,
} from "./restore-options.ts";

/** Counts of a restore: what a progress bar shows, and what the result says in the end. */
export class RestoreMeter {
  readonly live: RestoreProgress = {
    stage: "restore",
    filesDone: 0,
    filesTotal: 0,
    filesSkipped: 0,
    filesDeleted: 0,
    bytesDone: 0,
    bytesTotal: 0,
    bytesSkipped: 0,
    bytesWritten: 0,
    filesVerified: 0,
    bytesVerified: 0,
    totalsKnown: false,
    problems: 0,
    currentFile: "",
  };
  readonly problems: RestoreProblem[] = [];
  readonly #observer: RestoreObserver;
  readonly #onItem: RestoreObserver["onItem"];
  #filesSeen = 0;
  #bytesSeen = 0;
  #filesExpected = 0;
  #bytesExpected = 0;

  /** `expected`: what the snapshot says of itself, where all of it is restored. */
  constructor(observer: RestoreObserver = {}, expected?: SnapshotSummary) {
    this.#observer = observer;
    this.#onItem = observer.onItem?.bind(observer);
    if (expected !== undefined) {
      const { dirs_new, dirs_changed, dirs_unmodified } = expected;
      const directories = dirs_new + dirs_changed + dirs_unmodified;
      // Whoever wrote the snapshot may have left numbers out.
      this.#filesExpected = Math.max(0, expected.total_files_processed + directories) || 0;
      this.#bytesExpected = Math.max(0, expected.total_bytes_processed) || 0;
    }
    this.#updateTotals();
    observer.onStart?.(this.live);
  }

  get counts(): Omit<RestoreProgress, "stage" | "currentFile"> {
    const { stage: _stage, currentFile: _currentFile, ...counts } = this.live;
    return counts;
  }

  /** An entry that is to be restored. */
  seen(sizeBytes: number): void {
    this.#filesSeen++;
    this.#bytesSeen += sizeBytes;
    this.#updateTotals();
  }

  /** The walk is over: nothing more will be seen. */
  allSeen(): void {
    this.live.totalsKnown = true;
    this.#updateTotals();
  }

  /** An entry is as it should be now. */
  done(path: () => ByteString, type: RestoredItem["type"], action: Action, sizeBytes = 0): void {
    this.live.filesDone++;
    this.#onItem?.({ path: path(), type, action, sizeBytes });
  }

  /** An entry that was seen is left as it is. */
  skipped(path: () => ByteString, type: RestoredItem["type"], sizeBytes: number): void {
    const { live } = this;
    live.filesSkipped++;
    live.bytesSkipped += sizeBytes;
    this.#filesSeen--;
    this.#bytesSeen -= sizeBytes;
    this.#filesExpected--;
    this.#bytesExpected -= sizeBytes;
    this.#updateTotals();
    this.#onItem?.({ path: path(), type, action: "unchanged", sizeBytes });
  }

  deleted(path: ByteString): void {
    this.live.filesDeleted++;
    this.#onItem?.({ path, type: "other", action: "deleted", sizeBytes: 0 });
  }

  problem(path: ByteString, during: RestoreProblem["during"], message: string): void {
    const problem = { path, during, message };
    this.live.problems++;
    if (this.problems.length < PROBLEMS_KEPT_MAX) this.problems.push(problem);
    this.#observer.onProblem?.(problem);
  }

  note(path: ByteString, message: string): void {
    this.#observer.onNote?.(path, message);
  }

  #updateTotals(): void {
    const { live } = this;
    const known = live.totalsKnown;
    live.filesTotal = known ? this.#filesSeen : Math.max(this.#filesSeen, this.#filesExpected);
    live.bytesTotal = known ? this.#bytesSeen : Math.max(this.#bytesSeen, this.#bytesExpected);
  }
}

type Action = "restored" | "updated";
