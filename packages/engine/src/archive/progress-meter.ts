import type { ByteString, SourceProblem } from "@comeback/core";
import { PROBLEMS_KEPT_MAX } from "@comeback/core";
import type { BackupObserver, BackupProgress } from "./backup-options.ts";

/** Counts of a backup: what a progress bar shows, and what the summary says in the end. */
export class ProgressMeter {
  readonly live: BackupProgress = {
    filesDone: 0,
    bytesDone: 0,
    filesTotal: 0,
    bytesTotal: 0,
    totalsKnown: false,
    problems: 0,
    bytesStored: 0,
    currentFile: "",
  };
  readonly problems: SourceProblem[] = [];
  /** Of the new and changed ones: those that a checkpoint made it needless to read. */
  readonly resumed = { files: 0, bytes: 0 };
  filesNew = 0;
  filesChanged = 0;
  filesUnmodified = 0;
  dataBlobs = 0;
  bytesAdded = 0;
  bytesAddedPacked = 0;
  readonly observer: BackupObserver;

  constructor(observer: BackupObserver = {}) {
    this.observer = observer;
    observer.onStart?.(this.live);
  }

  problem(problem: SourceProblem): void {
    this.live.problems++;
    if (this.problems.length < PROBLEMS_KEPT_MAX) this.problems.push(problem);
    this.observer.onProblem?.(problem);
  }

  fileDone(
    path: ByteString,
    action: "new" | "changed" | "unmodified",
    sizeBytes: number,
    added = 0,
    addedPacked = 0,
  ): void {
    const { live, observer } = this;
    if (action === "new") this.filesNew++;
    else if (action === "changed") this.filesChanged++;
    else this.filesUnmodified++;
    live.filesDone++;
    live.bytesDone += sizeBytes;
    live.currentFile = path;
    observer.onItem?.({
      path,
      type: "file",
      action,
      dataAdded: added,
      dataAddedPacked: addedPacked,
      sizeBytes,
    });
  }

  /** A file that is new or changed, whose content a checkpoint told. */
  fileResumed(path: ByteString, action: "new" | "changed", sizeBytes: number): void {
    this.resumed.files++;
    this.resumed.bytes += sizeBytes;
    this.fileDone(path, action, sizeBytes);
  }

  stored(result: { blobsAdded: number; bytesAdded: number; bytesAddedPacked: number }): void {
    this.dataBlobs += result.blobsAdded;
    this.bytesAdded += result.bytesAdded;
    this.bytesAddedPacked += result.bytesAddedPacked;
  }
}
