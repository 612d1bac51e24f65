import {
  type ByteString,
  isComebackError,
  messageOf,
  RESTORE_BYTES_PLANNED_MAX,
  RESTORE_FILES_PLANNED_MAX,
  RESTORE_LARGE_FILES_PLANNED_MAX,
  RESTORE_WINDOW_FIRST_BYTES,
  RESTORE_WINDOW_FIRST_FILES,
  RESTORE_WINDOW_LARGE_FILES,
  RESTORE_WINDOW_MAX_BYTES,
  RESTORE_WINDOW_MAX_FILES,
} from "@comeback/core";
import { statAtIfExists } from "@comeback/platform";
import { idWords } from "../index/blob-table.ts";
import type { TreeNode } from "../tree/types.ts";
import type { FileOutcomes } from "./file-outcomes.ts";
import { contentLength, FileWindow, type WindowLimits } from "./file-window.ts";
import type { HardLinks } from "./hard-links.ts";
import type { LoadedNodes } from "./load-nodes.ts";
import { isProtected } from "./overwrite.ts";
import { attributesOf, PlannedFile } from "./planned-file.ts";
import type { RestoreRun } from "./restore-run.ts";
import { restoreWindow } from "./restore-window.ts";
import { restoreSpecial } from "./special-entry.ts";
import { TargetDirectory, type TargetTree } from "./target-directory.ts";
import { FileAction } from "./tasks.ts";
import type { WalkVisitor } from "./snapshot-walk.ts";

/** The walk that restores: makes directories and special entries, and plans files in windows. */
export class RestoreWalk implements WalkVisitor<TargetDirectory> {
  /** Directories whose tree could not be had, for the verification. */
  readonly unreadableTrees: Set<ByteString> = new Set();
  readonly #run: RestoreRun;
  readonly #tree: TargetTree;
  readonly #links: HardLinks;
  readonly #outcomes: FileOutcomes;
  readonly #inFlight = new Set<Promise<void>>();
  readonly #id = new Uint32Array(8);
  #limits: WindowLimits = {
    files: RESTORE_WINDOW_FIRST_FILES,
    bytes: RESTORE_WINDOW_FIRST_BYTES,
    largeFiles: RESTORE_WINDOW_LARGE_FILES,
  };
  #window: FileWindow = new FileWindow(this.#limits);
  #nextOrdinal = 0;
  /** Of windows under way. */
  #filesPlanned = 0;
  #bytesPlanned = 0;
  #largeFilesPlanned = 0;

  constructor(run: RestoreRun, tree: TargetTree, links: HardLinks, outcomes: FileOutcomes) {
    this.#run = run;
    this.#tree = tree;
    this.#links = links;
    this.#outcomes = outcomes;
  }

  locationOf(directory: TargetDirectory, name: ByteString): ByteString {
    return directory.locationOf(name);
  }

  directory(parent: TargetDirectory, node: TreeNode, isSelected: boolean): TargetDirectory {
    const attributes = this.#guarded(parent, node, () => attributesOf(node));
    const directory = new TargetDirectory(parent, node.name, attributes, isSelected);
    if (isSelected) {
      this.#run.meter.seen(0);
      this.#tree.ensure(directory);
    }
    return directory;
  }

  contents(directory: TargetDirectory, { nodes, refused }: LoadedNodes): void {
    for (const why of refused) {
      // Whoever wrote such a name may have meant any other: nothing is removed (as restic does).
      this.#run.mayDelete = false;
      this.#run.meter.problem(directory.location, "read", `an entry is refused: ${why}`);
    }
    if (this.#run.mayDelete) directory.expected = new Set(nodes.map((node) => node?.name ?? ""));
  }

  unreadable(directory: TargetDirectory, error: unknown): void {
    if (directory.parent === undefined) throw error;
    this.unreadableTrees.add(directory.path);
    const why = isComebackError(error) && error.why !== undefined ? `: ${error.why}` : "";
    const text = `${messageOf(error)}${why}; nothing below it is restored`;
    this.#run.meter.problem(directory.location, "read", text);
  }

  entry(directory: TargetDirectory, node: TreeNode): Promise<void> | undefined {
    const ordinal = node.type === "file" ? this.#nextOrdinal++ : -1;
    if (!this.#tree.ensure(directory)) return undefined;
    if (!directory.mayHold(node.name)) this.#tree.requireWritable(directory);
    return this.#guarded(directory, node, () => {
      if (node.type === "file") return this.#file(directory, node, ordinal);
      restoreSpecial(this.#run, directory, node);
      return undefined;
    });
  }

  leave(directory: TargetDirectory): void {
    this.#tree.leave(directory);
  }

  /** Restores what is still planned, and waits for everything that is under way. */
  async finish(): Promise<void> {
    if (!this.#window.isEmpty) await this.#flush();
    await Promise.all(this.#inFlight);
    this.#run.signal.throwIfAborted();
  }

  /** Waits for windows under way after a failure; nothing new is begun. */
  async settle(): Promise<void> {
    await Promise.all(this.#inFlight);
  }

  /** An entry of which something cannot be understood is named and left out. */
  #guarded<T>(directory: TargetDirectory, node: TreeNode, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!isComebackError(error, "repository.damaged")) throw error;
      const text = `${messageOf(error)}: ${error.why ?? ""}`;
      this.#run.meter.problem(directory.locationOf(node.name), "read", text);
      return undefined;
    }
  }

  #file(directory: TargetDirectory, node: TreeNode, ordinal: number): Promise<void> | undefined {
    const { meter, options } = this.#run;
    if (this.#links.isFurtherName(node, directory)) return undefined;
    if (node.links > 1 && this.#isProtected(directory, node)) {
      // Its other names must not become links to what the snapshot never saw.
      meter.seen(Number(node.size));
      meter.skipped(() => directory.locationOf(node.name), "file", Number(node.size));
      return undefined;
    }
    const file = new PlannedFile({
      directory,
      node,
      ordinal,
      sparse: options.sparse ?? false,
      links: this.#links.begin(node, directory),
    });
    meter.seen(file.sizeBytes);
    directory.pending++;
    const content = node.content ?? [];
    this.#addToWindow(file);
    const planned = this.#addBlobs(file, content, 0);
    if (planned < content.length) return this.#fileAcrossWindows(file, content, planned);
    return this.#endOfFile(file);
  }

  async #fileAcrossWindows(
    file: PlannedFile,
    content: readonly string[],
    planned: number,
  ): Promise<void> {
    let next = planned;
    while (next < content.length) {
      await this.#flush();
      // In a later window the decision is known, and may be that nothing is to be written.
      if (file.isSettled || file.action === FileAction.attributes) break;
      this.#addToWindow(file);
      next = this.#addBlobs(file, content, next);
    }
    await this.#endOfFile(file);
  }

  #addToWindow(file: PlannedFile): void {
    file.pending++;
    this.#window.add(file);
  }

  /** Plans blobs from `from` on until the window is full. Returns how far it came. */
  #addBlobs(file: PlannedFile, content: readonly string[], from: number): number {
    const { table } = this.#run.repository.index;
    for (let i = from; i < content.length; i++) {
      if (i > from && this.#window.isFull) return i;
      const id = content[i] as string;
      const entry = table.find("data", idWords(id, this.#id));
      if (entry < 0) {
        // Where the next blob belongs is not known either.
        file.loss ??= `its data is lost: blob ${id.slice(0, 8)} is not in the index`;
        break;
      }
      const length = contentLength(table.locationOf(entry));
      this.#window.addUse(entry, file.contentBytes, length);
      file.contentBytes += length;
    }
    return content.length;
  }

  #endOfFile(file: PlannedFile): Promise<void> | undefined {
    file.isPlanned = true;
    this.#outcomes.release(file);
    return this.#window.isFull ? this.#flush() : undefined;
  }

  #isProtected(directory: TargetDirectory, node: TreeNode): boolean {
    if (!directory.mayHold(node.name)) return false;
    const found = statAtIfExists(this.#run.directories.fdOf(directory.path), node.name);
    return found !== undefined && isProtected(this.#run.overwrite, attributesOf(node).mtime, found);
  }

  get #hasRoom(): boolean {
    const fits =
      this.#filesPlanned < RESTORE_FILES_PLANNED_MAX &&
      this.#bytesPlanned < RESTORE_BYTES_PLANNED_MAX &&
      this.#largeFilesPlanned < RESTORE_LARGE_FILES_PLANNED_MAX;
    return this.#inFlight.size === 0 || fits;
  }

  /** Begins with the window, and resolves once its files are decided and another one has room. */
  async #flush(): Promise<void> {
    const window = this.#window;
    this.#limits = {
      files: Math.min(this.#limits.files * 2, RESTORE_WINDOW_MAX_FILES),
      bytes: RESTORE_WINDOW_MAX_BYTES,
      largeFiles: RESTORE_WINDOW_LARGE_FILES,
    };
    this.#window = new FileWindow(this.#limits);
    const opened = Promise.withResolvers<void>();
    const done = restoreWindow(this.#run, this.#outcomes, window, opened.resolve);
    this.#inFlight.add(done);
    this.#filesPlanned += window.files.length;
    this.#bytesPlanned += window.bytes;
    this.#largeFilesPlanned += window.largeFiles;
    void done.finally(() => {
      this.#inFlight.delete(done);
      this.#filesPlanned -= window.files.length;
      this.#bytesPlanned -= window.bytes;
      this.#largeFilesPlanned -= window.largeFiles;
    });
    await opened.promise;
    while (!this.#hasRoom) await Promise.race(this.#inFlight);
    this.#run.signal.throwIfAborted();
  }
}
