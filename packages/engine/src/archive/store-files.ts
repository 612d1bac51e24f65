import type { ByteString } from "@comeback/core";
import { close, type FileStatus, isSystemCallError, readInto, statFd } from "@comeback/platform";
import type { TaskResult, WorkerContext } from "../cpu-pool/worker-context.ts";
import { openForReading } from "./open-for-reading.ts";
import { BlobStorer } from "./store-blobs.ts";
import type { ExpectedStatus, FileIssue, StoreFilesInput, StoreFilesOutput } from "./tasks.ts";

const S_IFMT = 0o170000;
const S_IFREG = 0o100000;

/** A file's bytes in the arena, and what was noticed while they were read. */
interface FileRead {
  readonly length: number;
  readonly issue?: Omit<FileIssue, "index">;
}

/** The task "archive.files". A file that fails is named in `issues`; the others go on. */
export function storeFiles(
  context: WorkerContext,
  input: StoreFilesInput,
): TaskResult<StoreFilesOutput> {
  const storer = new BlobStorer(context);
  const chunkCounts: number[] = [];
  const sizesBytes: number[] = [];
  const added: number[] = [];
  const addedPacked: number[] = [];
  const issues: FileIssue[] = [];
  for (const [index, path] of input.paths.entries()) {
    const before = { bytes: storer.bytesAdded, packed: storer.bytesAddedPacked };
    const read = readFile(context.chunker.input, path, input.expected[index] as ExpectedStatus);
    if (read.issue !== undefined) issues.push({ index, ...read.issue });
    const stored =
      read.issue === undefined || read.issue.kind === "updated" || read.issue.kind === "changing";
    chunkCounts.push(stored ? storeChunks(context, storer, read.length) : 0);
    sizesBytes.push(read.length);
    added.push(storer.bytesAdded - before.bytes);
    addedPacked.push(storer.bytesAddedPacked - before.packed);
  }
  const output = { ...storer.result, chunkCounts, sizesBytes, added, addedPacked, issues };
  return { output, transfer: storer.transfer };
}

/** Cuts the first `length` bytes of the arena into chunks and stores them; returns how many. */
function storeChunks(context: WorkerContext, storer: BlobStorer, length: number): number {
  const { chunker } = context;
  let count = 0;
  for (let start = 0; start < length; count++) {
    const size = chunker.nextCut(start, length, true);
    storer.store(chunker.input.subarray(start, start + size));
    start += size;
  }
  return count;
}

/**
 * Reads a whole file. One look at its status afterwards tells whether it is still what the walk
 * saw, which costs nothing extra for the many files that are. Where it is not, it is read once
 * more between two looks of our own: that tells a file that changed some time ago from one that is
 * being written right now.
 */
function readFile(arena: Uint8Array, path: ByteString, expected: ExpectedStatus): FileRead {
  let fd: number | undefined;
  try {
    fd = openForReading(path);
    const length = readAll(fd, arena, expected.sizeBytes);
    const status = statFd(fd);
    if (length === status.sizeBytes && isAsExpected(status, expected)) return { length };
    return readAgain(fd, arena, status);
  } catch (error) {
    return { length: 0, issue: { kind: "unreadable", message: reasonOf(error) } };
  } finally {
    if (fd !== undefined) close(fd);
  }
}

function readAgain(fd: number, arena: Uint8Array, before: FileStatus): FileRead {
  if ((before.mode & S_IFMT) !== S_IFREG) {
    return { length: 0, issue: { kind: "unreadable", message: "it is no longer a regular file" } };
  }
  if (before.sizeBytes >= arena.length) {
    return { length: 0, issue: { kind: "grown", message: "it has grown", status: before } };
  }
  const length = readAll(fd, arena, before.sizeBytes);
  const after = statFd(fd);
  if (length === after.sizeBytes && isAsExpected(after, expectedOf(before))) {
    return { length, issue: { kind: "updated", message: "", status: after } };
  }
  return {
    length,
    issue: { kind: "changing", message: "it changed while it was read", status: after },
  };
}

/** Reads from the start to the end of the file, or of the arena; returns the bytes read. */
function readAll(fd: number, arena: Uint8Array, expectedBytes: number): number {
  let length = 0;
  for (;;) {
    // One byte more than expected: a read that falls short of it has met the end of the file.
    const wanted = Math.min(Math.max(expectedBytes + 1 - length, 4096), arena.length - length);
    if (wanted === 0) return length;
    const read = readInto(fd, arena, length, wanted, length);
    length += read;
    if (read < wanted) return length;
  }
}

export function expectedOf(
  status: Pick<FileStatus, "sizeBytes" | "inode" | "mtime" | "ctime">,
): ExpectedStatus {
  return {
    sizeBytes: status.sizeBytes,
    inode: status.inode,
    mtimeSeconds: status.mtime.seconds,
    mtimeNanoseconds: status.mtime.nanoseconds,
    ctimeSeconds: status.ctime.seconds,
    ctimeNanoseconds: status.ctime.nanoseconds,
  };
}

export function isAsExpected(status: FileStatus, expected: ExpectedStatus): boolean {
  return (
    status.sizeBytes === expected.sizeBytes &&
    status.mtime.nanoseconds === expected.mtimeNanoseconds &&
    status.ctime.nanoseconds === expected.ctimeNanoseconds &&
    status.mtime.seconds === expected.mtimeSeconds &&
    status.ctime.seconds === expected.ctimeSeconds &&
    status.inode === expected.inode
  );
}

/** The reason of a failed read in words; anything but a failed system call is thrown on. */
export function reasonOf(error: unknown): string {
  if (isSystemCallError(error, "ENOENT")) return "it vanished before it could be read";
  if (isSystemCallError(error, "ELOOP")) return "it was replaced by a symbolic link";
  if (isSystemCallError(error)) return error.reason;
  throw error;
}
