import { BOX_OVERHEAD_BYTES } from "../crypto/box.ts";
import type { BlobLocation } from "../index/blob-table.ts";
import type { PlannedFile } from "./planned-file.ts";

/** How much is planned at a time. */
export interface WindowLimits {
  readonly files: number;
  readonly bytes: number;
  /** Files of several blobs: each of them may have to be kept open. */
  readonly largeFiles: number;
}

/** The length of a blob's content. */
export function contentLength(location: BlobLocation): number {
  const { uncompressedLength, length } = location;
  return uncompressedLength > 0 ? uncompressedLength : length - BOX_OVERHEAD_BYTES;
}

/**
 * Files that are planned and restored together, so that memory does not grow with the snapshot:
 * one after the other in the order of the walk, each with the blobs that it needs. The uses of file
 * `i` are those from `firstUse[i]` up to `firstUse[i + 1]`.
 */
export class FileWindow {
  readonly files: PlannedFile[] = [];
  readonly firstUse: number[] = [0];
  /** For each use the blob's number in the index. */
  readonly entries: number[] = [];
  /** The length of its content, and where in the file it goes. */
  readonly lengths: number[] = [];
  readonly offsets: number[] = [];
  readonly #limits: WindowLimits;
  bytes = 0;
  /** Files of several blobs. */
  largeFiles = 0;

  constructor(limits: WindowLimits) {
    this.#limits = limits;
  }

  get isEmpty(): boolean {
    return this.files.length === 0;
  }

  get isFull(): boolean {
    return (
      this.files.length >= this.#limits.files ||
      this.bytes >= this.#limits.bytes ||
      this.largeFiles >= this.#limits.largeFiles
    );
  }

  /** Adds a file; the blobs that are added next are its. */
  add(file: PlannedFile): void {
    this.files.push(file);
    this.firstUse.push(this.entries.length);
  }

  /** Adds a blob of the file that was added last. */
  addUse(entry: number, offset: number, length: number): void {
    const use = this.entries.length;
    this.entries.push(entry);
    this.offsets.push(offset);
    this.lengths.push(length);
    this.firstUse[this.files.length] = use + 1;
    this.bytes += length;
    if (use - (this.firstUse[this.files.length - 1] as number) === 1) this.largeFiles++;
  }
}
