import type { ByteString } from "@comeback/core";
import type { FileStatus } from "@comeback/platform";
import type { FinishedPack, OpenPack } from "../pack/packer.ts";

/** What workers do for a backup. */
export interface ArchiveTasks {
  /** Reads, chunks and stores a batch of files that each fit a worker's arena. */
  "archive.files": { input: StoreFilesInput; output: StoreFilesOutput };
  /** Finds cut points of a large file, without storing anything. */
  "archive.scan": { input: ScanInput; output: ScanOutput };
  /** Stores chunks of a large file whose cut points are known. */
  "archive.ranges": { input: StoreRangesInput; output: StoreRangesOutput };
  /** Stores chunks that the main thread read from a stream. */
  "archive.chunks": { input: StoreChunksInput; output: StoredBlobs };
  /** Gives up the pack that is not full yet. */
  "archive.flush": { input: null; output: OpenPack | undefined };
}

/** What storing some plaintext came to. */
export interface StoredBlobs {
  /** Ids of all chunks in order, 64 hex digits each, one behind the other. */
  readonly ids: string;
  /** Packs that became full on the way; their buffers are transferred. */
  readonly packs: readonly FinishedPack[];
  readonly blobsAdded: number;
  /** Plaintext of the new blobs, and the bytes of their boxes. */
  readonly bytesAdded: number;
  readonly bytesAddedPacked: number;
}

/** What the walk saw of a file, so that a reader can tell whether it changed since. */
export interface ExpectedStatus {
  readonly sizeBytes: number;
  readonly inode: number | bigint;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  readonly ctimeSeconds: number;
  readonly ctimeNanoseconds: number;
}

export interface StoreFilesInput {
  readonly paths: readonly ByteString[];
  readonly expected: readonly ExpectedStatus[];
}

/** A file of the batch that was not what the walk saw. */
export interface FileIssue {
  /** Its place in the batch. */
  readonly index: number;
  readonly kind: "unreadable" | "changing" | "updated" | "grown";
  readonly message: string;
  /**
   * With "updated": it changed before it was read, and is stored as it is now, with this status.
   * With "grown": it no longer fits the arena and is to be stored as a large file; nothing is
   * stored yet.
   */
  readonly status?: FileStatus;
}

export interface StoreFilesOutput extends StoredBlobs {
  /** For each file: how many chunks, and how many bytes were read. */
  readonly chunkCounts: readonly number[];
  readonly sizesBytes: readonly number[];
  /** For each file: bytes of new blobs, before and after compression. */
  readonly added: readonly number[];
  readonly addedPacked: readonly number[];
  readonly issues: readonly FileIssue[];
}

export interface ScanInput {
  /** A descriptor of the main thread: all threads share them, and the file cannot be swapped. */
  readonly fd: number;
  /** Where the last chunk ended. */
  readonly from: number;
  /** The file's size as the walk saw it. */
  readonly sizeBytes: number;
  /** Stop after about this many bytes. */
  readonly budgetBytes: number;
}

export interface ScanOutput {
  /** Ends of the chunks from `from` on, ascending. The last chunk of the file is included. */
  readonly cuts: readonly number[];
  /** Why it could not be read. */
  readonly problem?: string;
}

export interface StoreRangesInput {
  readonly fd: number;
  readonly from: number;
  /** Ends of the chunks, the first of which starts at `from`. */
  readonly cuts: readonly number[];
}

export interface StoreRangesOutput extends StoredBlobs {
  readonly bytesRead: number;
  /** Why it could not be read to the end. */
  readonly problem?: string;
}

export interface StoreChunksInput {
  readonly data: Uint8Array<ArrayBuffer>;
  /** Ends of the chunks in `data`. */
  readonly cuts: readonly number[];
}
