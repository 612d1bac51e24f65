import { close, ftruncate, isSystemCallError, S_IFREG, writeFrom } from "@comeback/platform";
import type { TaskResult, WorkerContext } from "../cpu-pool/worker-context.ts";
import { directoriesOf, isAborted } from "./worker-session.ts";
import { applyToEntry, applyToFile } from "./entry-attributes.ts";
import { failureText } from "./failure-text.ts";
import { FileColumns } from "./file-columns.ts";
import { throwIfHopeless } from "./hopeless.ts";
import { writeSparse } from "./sparse-write.ts";
import { openForWriting, stateAfterOpening } from "./target-file.ts";
import {
  BLOB_COLUMNS,
  FileAction,
  type FileFailure,
  FileStatus,
  type WriteInput,
  type WriteOutput,
} from "./tasks.ts";

/** Decodes the blobs of one range, and writes them into all files that need them. */
export function writeFiles(context: WorkerContext, input: WriteInput): TaskResult<WriteOutput> {
  using task = new WriteTask(context, input);
  const output = task.run();
  // Gives the memory back now: the collector would let several of these pile up.
  input.data.buffer.transfer(0);
  return { output, transfer: [output.status.buffer] };
}

interface OpenFile {
  readonly fd: number;
  usesLeft: number;
  isIncomplete: boolean;
}

class WriteTask implements Disposable {
  readonly #context: WorkerContext;
  readonly #input: WriteInput;
  readonly #files: FileColumns;
  readonly #status: Uint8Array<ArrayBuffer>;
  readonly #failures: FileFailure[] = [];
  /** Files that get several blobs of this task: open from the first one to the last one. */
  readonly #open = new Map<number, OpenFile>();
  readonly #damagedBlobs: number[] = [];
  #bytesWritten = 0;

  constructor(context: WorkerContext, input: WriteInput) {
    this.#context = context;
    this.#input = input;
    this.#files = new FileColumns(input.files);
    this.#status = new Uint8Array(this.#files.count).fill(FileStatus.incomplete);
  }

  run(): WriteOutput {
    this.#writeBlobs();
    for (let i = 0; i < this.#files.count && !isAborted(this.#input.session); i++) {
      const file = this.#files.select(i);
      if (file.uses === 0 && file.fd < 0) this.#guard(i, () => this.#finishWithoutBlobs(i, file));
    }
    return {
      status: this.#status,
      damagedBlobs: this.#damagedBlobs,
      failures: this.#failures,
      bytesWritten: this.#bytesWritten,
    };
  }

  [Symbol.dispose](): void {
    for (const { fd } of this.#open.values()) close(fd);
    this.#open.clear();
  }

  #writeBlobs(): void {
    const { session, data, blobs, ids, uses } = this.#input;
    let use = 0;
    for (let blob = 0; blob * BLOB_COLUMNS < blobs.length; blob++) {
      const at = blob * BLOB_COLUMNS;
      const offset = blobs[at] as number;
      const length = blobs[at + 1] as number;
      const lastUse = use + (blobs[at + 3] as number);
      const content = this.#context.codec.open(
        ids.subarray(blob * 32, blob * 32 + 32),
        data.subarray(offset, offset + length),
        blobs[at + 2] as number,
      );
      if (content === undefined) this.#damagedBlobs.push(blob);
      for (; use < lastUse; use++) {
        if (isAborted(session)) return;
        const file = uses[use * 2] as number;
        const position = uses[use * 2 + 1] as number;
        this.#guard(file, () => this.#write(file, content, position));
      }
    }
  }

  /** One use of a blob; `content` is missing where the blob is damaged. */
  #write(index: number, content: Uint8Array | undefined, position: number): void {
    const file = this.#files.select(index);
    if (file.fd >= 0) {
      if (content !== undefined) this.#put(file, file.fd, content, position);
    } else if (this.#status[index] === FileStatus.failed) {
      // Its first failure has been reported.
    } else if (file.uses > 1) {
      this.#writePart(index, file, content, position);
    } else if (content !== undefined) {
      this.#writeWhole(index, file, content, position);
    }
  }

  #writePart(
    index: number,
    file: FileColumns,
    content: Uint8Array | undefined,
    position: number,
  ): void {
    let open = this.#open.get(index);
    if (open === undefined) {
      open = { fd: this.#openFile(file), usesLeft: file.uses, isIncomplete: false };
      this.#open.set(index, open);
    }
    if (content === undefined) open.isIncomplete = true;
    else this.#put(file, open.fd, content, position);
    if (--open.usesLeft > 0) return;
    this.#open.delete(index);
    // What it has so far stays, but it gets neither its attributes nor its time.
    if (open.isIncomplete) close(open.fd);
    else this.#finish(index, file, open.fd);
  }

  /** The common case: one blob of this task is all that the file needs. */
  #writeWhole(index: number, file: FileColumns, content: Uint8Array, position: number): void {
    const fd = this.#openFile(file);
    try {
      this.#put(file, fd, content, position);
    } catch (error) {
      close(fd);
      throw error;
    }
    this.#finish(index, file, fd);
  }

  #put(file: FileColumns, fd: number, content: Uint8Array, position: number): void {
    this.#bytesWritten += file.sparse
      ? writeSparse(fd, content, position)
      : writeFrom(fd, content, 0, content.length, position);
  }

  #openFile(file: FileColumns): number {
    const fd = openForWriting(this.#dirFdOf(file), file, this.#input.session.identity);
    if (file.uses > 1) ftruncate(fd, file.sizeBytes);
    return fd;
  }

  /** Size, owner, permissions, times, in this order; then the descriptor is closed. */
  #finish(index: number, file: FileColumns, fd: number): void {
    try {
      const who = this.#input.session.identity;
      if (file.sparse) ftruncate(fd, file.sizeBytes);
      const failure = applyToFile(fd, file.attributes, who, stateAfterOpening(file, who));
      this.#done(index, failure);
    } finally {
      close(fd);
    }
  }

  #finishWithoutBlobs(index: number, file: FileColumns): void {
    if (file.action !== FileAction.attributes) {
      return this.#finish(index, file, this.#openFile(file));
    }
    const who = this.#input.session.identity;
    const failure = applyToEntry(this.#dirFdOf(file), file.name, S_IFREG, file.attributes, who);
    this.#done(index, failure);
  }

  #done(index: number, failure: Error | undefined): void {
    this.#status[index] = failure === undefined ? FileStatus.done : FileStatus.doneWithProblem;
    if (failure !== undefined) this.#fail(index, "metadata", failure);
  }

  #dirFdOf(file: FileColumns): number {
    const { session, directories } = this.#input;
    return directoriesOf(session).fdOf(directories[file.directory] as string);
  }

  /** Runs work on one file; its failure is the file's own, unless every file would fail. */
  #guard(index: number, work: () => void): void {
    try {
      work();
    } catch (error) {
      throwIfHopeless(error);
      if (!isSystemCallError(error)) throw error;
      this.#status[index] = FileStatus.failed;
      this.#fail(index, "write", error);
    }
  }

  #fail(file: number, during: "write" | "metadata", error: Error): void {
    this.#failures.push({ file, during, message: failureText(error) });
  }
}
