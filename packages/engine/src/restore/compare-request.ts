import type { ByteString, Instant } from "@comeback/core";
import type { RestoreRun } from "./restore-run.ts";
import { COMPARE_COLUMNS, CompareColumn, type CompareInput, type CompareOutput } from "./tasks.ts";

/** A file, or a part of one, that is to be compared. */
export interface ComparedPart<Subject> {
  readonly subject: Subject;
  readonly directory: ByteString;
  readonly name: ByteString;
  readonly sizeBytes: number;
  readonly mtime: Instant;
  /** Where its first blob belongs in the file. */
  readonly offset: number;
  blobs: number;
}

/** Collects parts of files for one task of a worker. */
export class CompareRequest<Subject> {
  readonly parts: ComparedPart<Subject>[] = [];
  bytes = 0;
  readonly #lengths: number[] = [];
  readonly #entries: number[] = [];

  add(part: Omit<ComparedPart<Subject>, "blobs">): void {
    this.parts.push({ ...part, blobs: 0 });
  }

  /** Adds a blob, by its number in the index, of the part that was added last. */
  addBlob(entry: number, length: number): void {
    (this.parts.at(-1) as ComparedPart<Subject>).blobs++;
    this.#entries.push(entry);
    this.#lengths.push(length);
    this.bytes += length;
  }

  /** Has a worker compare. `receive` gets each part, its place in the answer, and its first blob. */
  async send(
    run: RestoreRun,
    mode: CompareInput["mode"],
    receive: (part: ComparedPart<Subject>, answer: CompareOutput, at: CompareAnswerPlace) => void,
  ): Promise<void> {
    if (this.parts.length === 0) return;
    const input = this.#input(run, mode);
    const transfer = [input.files.buffer, input.lengths.buffer, input.ids.buffer];
    const answer = await run.pool.run("restore.compare", input, transfer);
    if (run.signal.aborted) return;
    let firstBlob = 0;
    for (const [index, part] of this.parts.entries()) {
      receive(part, answer, { index, firstBlob });
      firstBlob += part.blobs;
    }
  }

  #input({ session, repository }: RestoreRun, mode: CompareInput["mode"]): CompareInput {
    const directories: ByteString[] = [];
    const files = new Float64Array(this.parts.length * COMPARE_COLUMNS);
    for (const [i, part] of this.parts.entries()) {
      if (directories.at(-1) !== part.directory) directories.push(part.directory);
      const at = i * COMPARE_COLUMNS;
      files[at + CompareColumn.directory] = directories.length - 1;
      files[at + CompareColumn.sizeBytes] = part.sizeBytes;
      files[at + CompareColumn.mtimeSeconds] = part.mtime.seconds;
      files[at + CompareColumn.mtimeNanoseconds] = part.mtime.nanoseconds;
      files[at + CompareColumn.offset] = part.offset;
      files[at + CompareColumn.blobs] = part.blobs;
    }
    const ids = new Uint8Array(this.#entries.length * 32);
    for (const [i, entry] of this.#entries.entries()) {
      repository.index.table.idBytesOf(entry, ids.subarray(i * 32));
    }
    return {
      session,
      mode,
      directories,
      names: this.parts.map(({ name }) => name).join("/"),
      files,
      lengths: Float64Array.from(this.#lengths),
      ids,
    };
  }
}

/** Where in an answer a part stands. */
export interface CompareAnswerPlace {
  readonly index: number;
  readonly firstBlob: number;
}
