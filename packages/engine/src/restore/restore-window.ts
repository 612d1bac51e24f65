import {
  isComebackError,
  RANGE_GAP_MAX_BYTES,
  RANGE_READ_MAX_BYTES,
  RESTORE_TASK_MAX_FILES,
  RESTORE_TASK_MAX_USES,
} from "@comeback/core";
import { compareExisting } from "./compare-existing.ts";
import type { FileOutcomes } from "./file-outcomes.ts";
import type { FileWindow } from "./file-window.ts";
import { type PackRange, planRanges, type RangeBlob } from "./plan-ranges.ts";
import type { PlannedFile } from "./planned-file.ts";
import { rescueBlobs } from "./rescue-blobs.ts";
import type { RestoreRun } from "./restore-run.ts";
import { FileAction, FileStatus, type WriteOutput } from "./tasks.ts";
import { requestWithoutBlobs, transferOf, writeRequest } from "./write-request.ts";

const LIMITS = {
  gapMaxBytes: RANGE_GAP_MAX_BYTES,
  readMaxBytes: RANGE_READ_MAX_BYTES,
  usesMax: RESTORE_TASK_MAX_USES,
};

/** Errors of the backend after which every other load would fail as well. */
const GONE = ["backend.closed", "backend.not-mounted"] as const;

/**
 * Restores the files of one window: decides about those that are there already, plans by pack, and
 * has the workers write. `onOpened` is called once nothing more is decided about its files.
 */
export async function restoreWindow(
  run: RestoreRun,
  outcomes: FileOutcomes,
  window: FileWindow,
  onOpened: () => void,
): Promise<void> {
  try {
    await new WindowRestore(run, outcomes, window).execute(onOpened);
  } catch (error) {
    run.fail(error);
  } finally {
    onOpened();
  }
}

class WindowRestore {
  readonly #run: RestoreRun;
  readonly #outcomes: FileOutcomes;
  readonly #window: FileWindow;
  readonly #fileOfUse: Uint32Array;

  constructor(run: RestoreRun, outcomes: FileOutcomes, window: FileWindow) {
    this.#run = run;
    this.#outcomes = outcomes;
    this.#window = window;
    this.#fileOfUse = new Uint32Array(window.entries.length);
    for (let i = 0; i < window.files.length; i++) {
      this.#fileOfUse.fill(i, window.firstUse[i], window.firstUse[i + 1]);
    }
  }

  async execute(onOpened: () => void): Promise<void> {
    const { files, entries } = this.#window;
    const isKept = await compareExisting(this.#run, this.#window);
    for (const file of files) {
      if (file.isProtected && !file.isSettled) this.#outcomes.protected(file);
    }
    if (this.#run.dryRun) return this.#pretend();
    this.#countKept(isKept);
    const { table } = this.#run.repository.index;
    const ranges = planRanges(entries, isKept, (entry) => table.locationOf(entry), LIMITS);
    const withoutBlobs = this.#assign(ranges);
    onOpened();
    await this.#runAll(ranges, withoutBlobs);
  }

  #countKept(isKept: Uint8Array): void {
    const { lengths, files } = this.#window;
    for (let use = 0; use < isKept.length; use++) {
      const { isProtected, action } = files[this.#fileOfUse[use] as number] as PlannedFile;
      if (isKept[use] === 0 || isProtected || action !== FileAction.update) continue;
      this.#run.meter.live.bytesDone += lengths[use] as number;
    }
  }

  /** A dry run: all goes well. */
  #pretend(): void {
    for (const file of this.#window.files) {
      if (!file.isPlanned || file.isSettled) continue;
      if (file.action !== FileAction.attributes) this.#run.meter.live.bytesDone += file.sizeBytes;
      this.#outcomes.done(file);
    }
  }

  /**
   * Counts the ranges of each file, and opens the files that one task alone cannot complete.
   * Returns those that need no blobs.
   */
  #assign(ranges: readonly PackRange[]): PlannedFile[] {
    const counts = new Uint32Array(this.#window.files.length);
    const lastRange = new Int32Array(counts.length).fill(-1);
    for (const [number, range] of ranges.entries()) {
      for (const { uses } of range.blobs) {
        for (const use of uses) {
          const file = this.#fileOfUse[use] as number;
          if (lastRange[file] === number) continue;
          lastRange[file] = number;
          counts[file] = (counts[file] as number) + 1;
          (this.#window.files[file] as PlannedFile).pending++;
        }
      }
    }
    const withoutBlobs: PlannedFile[] = [];
    for (const [i, file] of this.#window.files.entries()) {
      const count = counts[i] as number;
      if (count > 0) file.isSame = false;
      const isShared = file.fd >= 0 || !file.isPlanned || count > 1 || file.loss !== undefined;
      if (!file.isSettled) {
        const isWhole = file.action === FileAction.attributes || (count === 0 && !isShared);
        if (isWhole) {
          withoutBlobs.push(file);
          continue;
        }
        // A file of which not a single blob can be had is not even begun.
        if (isShared && (count > 0 || file.loss === undefined)) this.#outcomes.open(file);
      }
      this.#outcomes.release(file);
    }
    return withoutBlobs;
  }

  async #runAll(ranges: readonly PackRange[], withoutBlobs: PlannedFile[]): Promise<void> {
    const tasks: Promise<void>[] = [];
    const start = async (bytes: number, work: () => Promise<void>): Promise<void> => {
      await this.#run.slots.acquire(bytes);
      const task = this.#run.signal.aborted ? Promise.resolve() : work();
      tasks.push(
        task
          .catch((error: unknown) => this.#run.fail(error))
          .finally(() => this.#run.slots.release(bytes)),
      );
    };
    for (let at = 0; at < withoutBlobs.length; at += RESTORE_TASK_MAX_FILES) {
      const batch = withoutBlobs.slice(at, at + RESTORE_TASK_MAX_FILES);
      await start(0, () => this.#runBatch(batch));
    }
    for (const range of ranges) await start(range.length, () => this.#runRange(range));
    await Promise.all(tasks);
  }

  async #runBatch(files: readonly PlannedFile[]): Promise<void> {
    const input = requestWithoutBlobs(this.#run.session, files);
    const output = await this.#run.pool.run("restore.write", input, transferOf(input));
    if (this.#run.signal.aborted) return;
    this.#receive(files, output);
    for (const file of files) this.#outcomes.release(file);
  }

  async #runRange(range: PackRange): Promise<void> {
    const { repository, signal, pool, meter } = this.#run;
    const name = repository.index.packIds[range.pack] as string;
    const fileOf = (use: number): PlannedFile =>
      this.#window.files[this.#fileOfUse[use] as number] as PlannedFile;
    const rescue = { run: this.#run, outcomes: this.#outcomes, window: this.#window, fileOf };
    const { offset, length } = range;
    let data: Uint8Array<ArrayBuffer>;
    try {
      data = await repository.backend.load({ type: "pack", name }, { offset, length, signal });
    } catch (loadError) {
      if (signal.aborted) return;
      if (GONE.some((code) => isComebackError(loadError, code))) throw loadError;
      // Some of it may be readable, or there in other packs.
      await rescueBlobs({ ...rescue, blobs: range.blobs, isBegun: false, loadError });
      const files = new Set(range.blobs.flatMap(({ uses }) => uses.map(fileOf)));
      for (const file of files) this.#outcomes.release(file);
      return;
    }
    const request = writeRequest(this.#run, this.#window, fileOf, range, data);
    const output = await pool.run("restore.write", request.input, transferOf(request.input));
    if (signal.aborted) return;
    meter.live.bytesDone += request.contentBytes;
    this.#receive(request.files, output);
    if (output.damagedBlobs.length > 0) {
      const blobs = output.damagedBlobs.map((number) => range.blobs[number] as RangeBlob);
      await rescueBlobs({ ...rescue, blobs, isBegun: true, loadError: undefined });
    }
    for (const file of request.files) this.#outcomes.release(file);
  }

  #receive(files: readonly PlannedFile[], output: WriteOutput): void {
    const { meter } = this.#run;
    meter.live.bytesWritten += output.bytesWritten;
    for (const { file: number, during, message } of output.failures) {
      const file = files[number] as PlannedFile;
      if (during === "metadata") meter.problem(file.location, during, message);
      else if (file.fd >= 0) file.loss ??= message;
      else if (!file.isSettled) this.#outcomes.failed(file, during, message);
    }
    let last: PlannedFile | undefined;
    for (const [i, file] of files.entries()) {
      const status = output.status[i];
      if (file.fd >= 0 || file.isSettled) continue;
      if (status !== FileStatus.done && status !== FileStatus.doneWithProblem) continue;
      last = file;
      this.#outcomes.done(file);
    }
    if (last !== undefined) meter.live.currentFile = last.location;
  }
}
