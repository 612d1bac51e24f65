/** The kinds of file a repository consists of (restic design, "Repository Layout"). */
export type FileType = "config" | "key" | "lock" | "snapshot" | "index" | "pack";

export const FILE_TYPES: readonly FileType[] = [
  "config",
  "key",
  "lock",
  "snapshot",
  "index",
  "pack",
];

/** One file of a repository. `name` is 64 lower-case hex digits; for `config` it is "". */
export interface RepositoryFile {
  readonly type: FileType;
  readonly name: string;
}

export interface ListedFile {
  readonly name: string;
  readonly sizeBytes: number;
}

export interface OperationOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface LoadOptions extends OperationOptions {
  /** First byte wanted; default 0. */
  readonly offset?: number;
  /** Bytes wanted; default: to the end of the file. */
  readonly length?: number;
}

/**
 * Where a repository lives. The contract, which the conformance suite in testkit holds every
 * adapter to:
 *
 * - **Names**: only `RepositoryFile`s whose name is 64 lower-case hex digits ("" for config).
 *   Anything else is refused with `option.invalid`, before any I/O.
 * - **Atomic**: after `save` resolves, the whole file is there and survives a power cut; before
 *   that, `list`, `stat` and `load` never show a part of it. An aborted or failed `save` leaves
 *   nothing under the name.
 * - **Create-only**: `save` onto an existing name rejects with `backend.exists` and leaves the old
 *   file as it was.
 * - **Whole or error**: `load` resolves to exactly the range asked for, or rejects: `backend.io`
 *   where the file is too short, `backend.not-found` where there is none. The result is the
 *   caller's own, and may be transferred to another thread.
 * - **List after write**: `list` shows every file saved before it was called, each once, in no
 *   particular order, and skips names that are not ours.
 * - **Idempotent removal**: `remove` of a missing file resolves.
 * - **Concurrent use** from one process and several is safe; `data` is not kept after `save`
 *   settles and must not be changed before.
 * - **Errors** are `ComebackError`s with a `backend.*` code; `retryable` says whether the same call
 *   may work later. Adapters do not retry by themselves: that is a wrapper's job.
 * - **Abort**: a call whose signal aborts before its work is done rejects with the signal's reason.
 * - After `[Symbol.asyncDispose]()`, which waits for calls under way, every call rejects with
 *   `backend.closed`.
 */
export interface Backend extends AsyncDisposable {
  /** For messages: the URL or path without its secrets. */
  readonly location: string;
  /** Calls of `load` and `save` that this store serves well at the same time. */
  readonly connections: number;
  /** Reading is slow enough for a cache on a disk of this machine to pay. */
  readonly isRemote: boolean;
  /** For how long a file saved by another process may be missing from `list`; 0 where it never is. */
  readonly listLagMs: number;

  save(file: RepositoryFile, data: Uint8Array, options?: OperationOptions): Promise<void>;
  load(file: RepositoryFile, options?: LoadOptions): Promise<Uint8Array<ArrayBuffer>>;
  /** Size in bytes, or `backend.not-found`. */
  stat(file: RepositoryFile, options?: OperationOptions): Promise<{ sizeBytes: number }>;
  list(type: FileType, options?: OperationOptions): AsyncIterable<ListedFile>;
  remove(file: RepositoryFile, options?: OperationOptions): Promise<void>;
}

/** How a kind of backend is made from a user's URL. */
export interface BackendFactory {
  /** The URL scheme (`s3`, `sftp`), or "" for plain paths. */
  readonly scheme: string;
  /** Makes the empty layout; fails with `repository.exists` where a config is already there. */
  create(location: string, options?: OperationOptions): Promise<Backend>;
  /** Opens an existing layout; fails with `repository.none` where there is none. */
  open(location: string, options?: OperationOptions): Promise<Backend>;
}
