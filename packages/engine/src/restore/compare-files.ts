import { hash } from "node:crypto";
import type { ByteString } from "@comeback/core";
import {
  close,
  type FileStatus,
  isSystemCallError,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  openAt,
  readInto,
  S_IFDIR,
  S_IFREG,
  statAtIfExists,
  statFd,
} from "@comeback/platform";
import type { TaskResult, WorkerContext } from "../cpu-pool/worker-context.ts";
import { failureText } from "./failure-text.ts";
import { kindOf } from "./entry-attributes.ts";
import {
  COMPARE_COLUMNS,
  CompareColumn,
  type CompareInput,
  type CompareOutput,
  Verdict,
} from "./tasks.ts";
import { directoriesOf, isAborted } from "./worker-session.ts";

let buffer: Uint8Array<ArrayBuffer> = new Uint8Array(0);

/** Compares files of the target with the blobs that they should consist of. */
export function compareFiles(_: WorkerContext, input: CompareInput): TaskResult<CompareOutput> {
  const names = input.files.length === 0 ? [] : input.names.split("/");
  const output: CompareOutput = {
    verdicts: new Uint8Array(names.length),
    matches: new Uint8Array(input.lengths.length),
    messages: new Map(),
  };
  let blob = 0;
  for (let i = 0; i < names.length && !isAborted(input.session); i++) {
    const file = new ComparedFile(input, i, names[i] as string, blob);
    try {
      output.verdicts[i] = compare(input, file, output.matches);
    } catch (error) {
      if (!isSystemCallError(error)) throw error;
      output.verdicts[i] = Verdict.unreadable;
      (output.messages as Map<number, string>).set(i, failureText(error));
    }
    blob += file.blobs;
  }
  return { output, transfer: [output.verdicts.buffer, output.matches.buffer] };
}

class ComparedFile {
  readonly name: ByteString;
  readonly firstBlob: number;
  readonly #columns: Float64Array;
  readonly #at: number;

  constructor(input: CompareInput, index: number, name: ByteString, firstBlob: number) {
    this.name = name;
    this.firstBlob = firstBlob;
    this.#columns = input.files;
    this.#at = index * COMPARE_COLUMNS;
  }

  get directory(): number {
    return this.#column(CompareColumn.directory);
  }
  get sizeBytes(): number {
    return this.#column(CompareColumn.sizeBytes);
  }
  get offset(): number {
    return this.#column(CompareColumn.offset);
  }
  get blobs(): number {
    return this.#column(CompareColumn.blobs);
  }

  /** Negative where the stored time is earlier than the file's, 0 where they are the same. */
  compareTime({ mtime }: FileStatus): number {
    return (
      this.#column(CompareColumn.mtimeSeconds) - mtime.seconds ||
      this.#column(CompareColumn.mtimeNanoseconds) - mtime.nanoseconds
    );
  }

  #column(column: number): number {
    return this.#columns[this.#at + column] as number;
  }
}

function compare(input: CompareInput, file: ComparedFile, matches: Uint8Array): Verdict {
  const { mode, directories, session } = input;
  const dirFd = directoriesOf(session).fdOf(directories[file.directory] as string);
  const found = statAtIfExists(dirFd, file.name);
  if (found === undefined) return Verdict.missing;
  if (mode === "never") return Verdict.protected;
  if (mode === "if-newer" && file.compareTime(found) <= 0) return Verdict.protected;
  if (kindOf(found.mode) === S_IFDIR) return Verdict.directory;
  if (kindOf(found.mode) !== S_IFREG) return Verdict.other;
  const isSize = found.sizeBytes === file.sizeBytes;
  if (mode === "if-changed" && isSize && file.compareTime(found) === 0) return Verdict.trusted;
  if (mode === "verify" && !isSize) return Verdict.differs;
  const isSame = compareBlobs(input, dirFd, file, matches) && isSize;
  if (isSame) return Verdict.same;
  return found.links === 1 ? Verdict.differs : Verdict.other;
}

function compareBlobs(
  input: CompareInput,
  dirFd: number,
  file: ComparedFile,
  matches: Uint8Array,
): boolean {
  const fd = openAt(dirFd, file.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    // It may have been swapped since it was looked at.
    if (kindOf(statFd(fd).mode) !== S_IFREG) return false;
    let position = file.offset;
    let allMatch = true;
    for (let i = 0; i < file.blobs; i++) {
      if (isAborted(input.session)) return false;
      const blob = file.firstBlob + i;
      const length = input.lengths[blob] as number;
      const isMatch = isBlobAt(fd, position, length, input.ids.subarray(blob * 32, blob * 32 + 32));
      matches[blob] = isMatch ? 1 : 0;
      allMatch &&= isMatch;
      position += length;
    }
    return allMatch;
  } finally {
    close(fd);
  }
}

function isBlobAt(fd: number, position: number, length: number, id: Uint8Array): boolean {
  if (buffer.length < length) buffer = new Uint8Array(2 ** Math.ceil(Math.log2(length)));
  let read = 0;
  while (read < length) {
    const count = readInto(fd, buffer, read, length - read, position + read);
    if (count === 0) return false;
    read += count;
  }
  return hash("sha256", buffer.subarray(0, length), "buffer").equals(id);
}
