import type { ByteString } from "@comeback/core";
import type { EntryAttributes, Identity } from "./entry-attributes.ts";
import type { OverwriteMode } from "./restore-options.ts";

/** What workers do for a restore. */
export interface RestoreTasks {
  /** Decodes blobs and writes them into the files that need them. */
  "restore.write": { input: WriteInput; output: WriteOutput };
  /** Compares files of the target with the blobs they should consist of. */
  "restore.compare": { input: CompareInput; output: CompareOutput };
  /** Closes what a worker keeps open between tasks. */
  "restore.end": { input: RestoreSession; output: null };
}

/** What all tasks of one restore have in common. */
export interface RestoreSession {
  /** Tells this restore from others of the same process. */
  readonly number: number;
  /** The target, open in the main thread: descriptors belong to the process. */
  readonly rootFd: number;
  readonly identity: Identity;
  /** One word; not zero once the restore was given up. */
  readonly abort: SharedArrayBuffer;
}

/** What is done with a file before its blobs are written. */
export const FileAction = {
  /** Nothing of the name is there, and nothing may appear. */
  create: 0,
  /** What is there goes: it is no regular file, or has other names that must keep its content. */
  replace: 1,
  /** As `replace`; a directory goes with everything in it. */
  replaceAll: 2,
  /** The file is kept, and gets the blobs that differ. */
  update: 3,
  /** The content is right already. */
  attributes: 4,
} as const;
export type FileAction = (typeof FileAction)[keyof typeof FileAction];

/** A file of a task. */
export interface TaskFile {
  readonly name: ByteString;
  readonly action: FileAction;
  readonly attributes: EntryAttributes;
  readonly sizeBytes: number;
  /** Open already, because other tasks write into it too; else -1. The opener finishes it. */
  readonly fd: number;
  /** Blobs of this task that go into the file. */
  readonly uses: number;
  /** Leave out runs of zeros. Only set where the file is new. */
  readonly sparse: boolean;
  /** A new file in this directory belongs to whom it should: see `TargetDirectory`. */
  readonly plainDirectory: boolean;
}

export interface WriteInput {
  readonly session: RestoreSession;
  /** Paths below the target; files refer to them by number. */
  readonly directories: readonly ByteString[];
  /** See `FileColumns`. */
  readonly files: FileColumnsData;
  /** A part of a pack, transferred. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** For each blob: offset in `data`, length, uncompressed length, number of uses. */
  readonly blobs: Uint32Array<ArrayBuffer>;
  /** For each blob its 32 bytes. */
  readonly ids: Uint8Array<ArrayBuffer>;
  /** For each use, blob by blob: number of the file, offset in the file. */
  readonly uses: Float64Array<ArrayBuffer>;
}

/** Numbers of one blob in `WriteInput.blobs`. */
export const BLOB_COLUMNS = 4;

export interface FileColumnsData {
  readonly names: string;
  readonly numbers: Float64Array<ArrayBuffer>;
  readonly attributes: ReadonlyMap<number, EntryAttributes["extendedAttributes"]>;
}

export const FileStatus = {
  done: 0,
  /** Done, but something of its attributes could not be set. */
  doneWithProblem: 1,
  /** Blobs are missing: it has neither its attributes nor its time. */
  incomplete: 2,
  failed: 3,
} as const;

export interface FileFailure {
  readonly file: number;
  readonly during: "write" | "metadata";
  readonly message: string;
}

export interface WriteOutput {
  /** A `FileStatus` for each file; meaningless for those that were open already. */
  readonly status: Uint8Array<ArrayBuffer>;
  /** Blobs that did not decode, by number. */
  readonly damagedBlobs: readonly number[];
  readonly failures: readonly FileFailure[];
  readonly bytesWritten: number;
}

/** A file, or a part of one, that is compared with blobs. */
export interface CompareInput {
  readonly session: RestoreSession;
  /** "verify": the content must be right. Otherwise: what may be done with it. */
  readonly mode: OverwriteMode | "verify";
  readonly directories: readonly ByteString[];
  readonly names: string;
  /** For each file: see `CompareColumn`. */
  readonly files: Float64Array<ArrayBuffer>;
  /** For each blob its length. */
  readonly lengths: Float64Array<ArrayBuffer>;
  /** For each blob its 32 bytes. */
  readonly ids: Uint8Array<ArrayBuffer>;
}

export const CompareColumn = {
  directory: 0,
  sizeBytes: 1,
  mtimeSeconds: 2,
  mtimeNanoseconds: 3,
  /** Where the first blob belongs in the file. */
  offset: 4,
  blobs: 5,
} as const;
/** Numbers of one file in `CompareInput.files`. */
export const COMPARE_COLUMNS = 6;

export const Verdict = {
  missing: 0,
  /** Something is there that the overwrite mode protects. */
  protected: 1,
  /** A regular file with the right content. */
  same: 2,
  /** A regular file; `matches` says which blobs it has. */
  differs: 3,
  /** Something else than a regular file, or a differing one with several names. */
  other: 4,
  directory: 5,
  /** It could not be read. */
  unreadable: 6,
  /** Size and modification time agree, and that is enough ("if-changed"). */
  trusted: 7,
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

export interface CompareOutput {
  /** A `Verdict` for each file. */
  readonly verdicts: Uint8Array<ArrayBuffer>;
  /** For each blob: 1 where the file has it in its place. */
  readonly matches: Uint8Array<ArrayBuffer>;
  /** For files that could not be read: why. */
  readonly messages: ReadonlyMap<number, string>;
}
