import { close, ftruncate, isSystemCallError } from "@comeback/platform";
import { applyToFile } from "./entry-attributes.ts";
import { failureText } from "./failure-text.ts";
import type { HardLinks } from "./hard-links.ts";
import { throwIfHopeless } from "./hopeless.ts";
import { OrdinalSet } from "./ordinal-set.ts";
import type { PlannedFile } from "./planned-file.ts";
import type { RestoreRun } from "./restore-run.ts";
import type { TargetTree } from "./target-directory.ts";
import { openForWriting, stateAfterOpening } from "./target-file.ts";
import { FileAction } from "./tasks.ts";

/** How each file ends, and the files that the main thread holds open until then. */
export class FileOutcomes implements Disposable {
  /** Files whose content was written, for the verification. */
  readonly written: OrdinalSet = new OrdinalSet();
  readonly #run: RestoreRun;
  readonly #tree: TargetTree;
  readonly #links: HardLinks;
  readonly #open = new Set<PlannedFile>();

  constructor(run: RestoreRun, tree: TargetTree, links: HardLinks) {
    this.#run = run;
    this.#tree = tree;
    this.#links = links;
  }

  /**
   * Opens a file that several tasks write into. With `isBegun` a worker has created it already.
   * Where that fails the file is lost, and `false` is returned.
   */
  open(file: PlannedFile, isBegun = false): boolean {
    if (file.fd >= 0) return true;
    if (isBegun) file.action = FileAction.update;
    const { directories, who } = this.#run;
    try {
      file.fd = openForWriting(directories.fdOf(file.directory.path), file, who);
      this.#open.add(file);
      // No space is reserved: in one thread that would take longer than all writing in others.
      ftruncate(file.fd, file.sizeBytes);
      return true;
    } catch (error) {
      if (!isSystemCallError(error)) throw error;
      throwIfHopeless(error);
      file.loss ??= failureText(error);
      return false;
    }
  }

  /** One thing less is pending for a file; the last one settles it. */
  release(file: PlannedFile): void {
    if (--file.pending > 0 || file.isSettled || this.#run.signal.aborted) return;
    if (file.loss !== undefined) this.failed(file, "read", file.loss);
    else if (file.fd >= 0) this.#finish(file);
    else throw new Error("a file was neither restored nor given up");
  }

  done(file: PlannedFile): void {
    const { meter } = this.#run;
    if (file.action === FileAction.attributes) {
      meter.skipped(() => file.location, "file", file.sizeBytes);
    } else {
      const action = file.action === FileAction.create ? "restored" : "updated";
      meter.done(() => file.location, "file", action, file.sizeBytes);
      this.written.add(file.ordinal);
    }
    this.#settle(file, "restored");
  }

  protected(file: PlannedFile): void {
    this.#run.meter.skipped(() => file.location, "file", file.sizeBytes);
    // Its other names were not to depend on it: see `HardLinks.begin`.
    this.#settle(file, "failed");
  }

  failed(file: PlannedFile, during: "read" | "write", message: string): void {
    this.#run.meter.problem(file.location, during, message);
    this.#settle(file, "failed");
  }

  [Symbol.dispose](): void {
    for (const file of this.#open) close(file.fd);
    this.#open.clear();
  }

  #finish(file: PlannedFile): void {
    const { who, meter } = this.#run;
    try {
      if (file.contentBytes !== file.sizeBytes) ftruncate(file.fd, file.contentBytes);
      const state = stateAfterOpening(file, who);
      const failure = applyToFile(file.fd, file.attributes, who, state);
      if (failure !== undefined) {
        meter.problem(file.location, "metadata", failureText(failure));
      }
    } catch (error) {
      if (!isSystemCallError(error)) throw error;
      throwIfHopeless(error);
      return this.failed(file, "write", failureText(error));
    }
    if (file.isSame) {
      // Nothing of it had to be written after all: it counts as skipped, not as done.
      file.action = FileAction.attributes;
      meter.live.bytesDone -= file.contentBytes;
    }
    this.done(file);
  }

  #settle(file: PlannedFile, state: "restored" | "failed"): void {
    file.isSettled = true;
    if (this.#open.delete(file)) {
      close(file.fd);
      file.fd = -1;
    }
    if (file.links !== undefined) this.#links.settle(file.links, state);
    this.#tree.release(file.directory);
  }
}
