import type { Clock } from "./environment.ts";

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

/**
 * Resolves once so many more bytes may go through a connection, for `--limit-upload` and
 * `--limit-download`; rejects with the signal's reason.
 */
export type TransferPace = (bytes: number, signal?: AbortSignal) => Promise<void>;

interface TransferOptions extends OperationOptions {
  /**
   * Asked before each part of the file is sent or asked for, or after it is received and before
   * more of it is read. Only for backends that say `pacesTransfers`; `pacedSlices` cuts what is to be sent.
   */
  readonly pace?: TransferPace | undefined;
}

export interface LoadOptions extends TransferOptions {
  /** First byte wanted; default 0. */
  readonly offset?: number;
  /** Bytes wanted; default: to the end of the file. */
  readonly length?: number;
}

export interface SaveOptions extends TransferOptions {
  /**
   * What a pack holds: stores with cheap, slow classes keep trees where they can be read at once.
   * Not given for other files, which always stay there.
   */
  readonly packContent?: "data" | "tree" | undefined;
}

/** How far a pack is from being read: at once, after `thaw`, or soon because that was asked for. */
export type ArchiveState = "readable" | "archived" | "thawing";

export interface ArchivedPack extends ListedFile {
  readonly state: ArchiveState;
  /** The store's own name for where it lies, such as `DEEP_ARCHIVE`. */
  readonly storageClass: string;
}

/** How quickly a store makes packs readable, and so at what price: its own names for it. */
export interface ThawTier {
  readonly name: string;
  /** What the store promises at most, in hours. */
  readonly waitHours: number;
}

/** The part of a backend whose packs may lie where they cannot be read at once. */
export interface BackendArchive {
  /** The tiers of a storage class, the cheapest first. */
  tiers(storageClass: string): readonly ThawTier[];
  /** Asks for each pack how it is. In any order; packs that are missing are left out. */
  states(names: Iterable<string>, options?: OperationOptions): AsyncIterable<ArchivedPack>;
  /** Asks for a pack to be made readable for so many days. Asking again while it thaws is no error. */
  thaw(
    name: string,
    options: OperationOptions & { readonly tier: string; readonly days: number },
  ): Promise<void>;
}

/** What came of trying to delete what is locked. */
export interface RetentionProbe {
  readonly isEnforced: boolean;
  /** What the store said. */
  readonly answer: string;
}

/** The part of a backend that keeps files from being deleted before a time, by whomsoever. */
export interface BackendRetention {
  /** Until when a file cannot be deleted; undefined where it can be now. */
  lockedUntilMs(file: RepositoryFile, options?: OperationOptions): Promise<number | undefined>;
  /** Keeps a file at least until then; never shortens what was set. */
  extend(file: RepositoryFile, untilMs: number, options?: OperationOptions): Promise<void>;
  /** Writes a small object that is locked for a moment, and tries to delete it for good. */
  probe?(options?: OperationOptions): Promise<RetentionProbe>;
}

/**
 * What the save of a process that was killed has left in a store: no file of the repository, and in
 * no list. A save that is under way looks the same, and one of a client that was suspended as well:
 * when nobody can be writing it any more is for the caller to say.
 */
export interface LeftOver {
  /** For messages: where it lies, without secrets. */
  readonly path: string;
  readonly sizeBytes: number;
  /** When it was last written to, by the store's clock. */
  readonly modifiedMs: number;
  /** Resolves where it is gone already, and leaves what was written to since it was found. */
  remove(options?: OperationOptions): Promise<void>;
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
 *   file as it was. Of several saves under one name at the same time exactly one resolves, unless
 *   `isCreateAtomic` is false.
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
  /** `save` and `load` keep to the `pace` they are given; otherwise only whole calls can be held back. */
  readonly pacesTransfers?: boolean;
  /** For how long a file saved by another process may be missing from `list`; 0 where it never is. */
  readonly listLagMs: number;
  /**
   * False where the store cannot refuse a name that is being taken at the same time. Of several
   * such saves more than one may then resolve, and the file is the one of one of them: the same
   * bytes for all files that are named by their content, which is all but the config. A name that
   * was taken before is refused there as well. Not given: true.
   */
  readonly isCreateAtomic?: boolean | undefined;
  /** There only where packs may need a thaw; `load` of one that does rejects with `backend.archived`. */
  readonly archive?: BackendArchive | undefined;
  /**
   * There only where the store locks files; `remove` of one rejects with `backend.retained`. Index
   * files and locks of the repository, which are replaced all the time, may be hidden instead,
   * where the store keeps what is hidden until its time is over.
   */
  readonly retention?: BackendRetention | undefined;

  /**
   * There only where a save writes under another name first. Finds what our own saves have left, at
   * most `LEFT_OVERS_FOUND_MAX`; other programs' temporary files are theirs.
   */
  readonly leftOvers?: ((options?: OperationOptions) => Promise<readonly LeftOver[]>) | undefined;

  save(file: RepositoryFile, data: Uint8Array, options?: SaveOptions): Promise<void>;
  load(file: RepositoryFile, options?: LoadOptions): Promise<Uint8Array<ArrayBuffer>>;
  /** Size in bytes, or `backend.not-found`. */
  stat(file: RepositoryFile, options?: OperationOptions): Promise<{ sizeBytes: number }>;
  list(type: FileType, options?: OperationOptions): AsyncIterable<ListedFile>;
  remove(file: RepositoryFile, options?: OperationOptions): Promise<void>;
}

/** What TLS connections of a backend trust, and how they show who they are (PEM files). */
export interface TlsSettings {
  /** Certificates of authorities that are trusted beside the system's. */
  readonly caCertificatePaths?: readonly string[];
  /** One file with the client's certificate and its key. */
  readonly clientCertificatePath?: string;
  /** Trust anyone. */
  readonly isInsecure?: boolean;
}

/** What a kind of backend is given of the outside world. */
export interface OpenBackendOptions extends OperationOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What the user set with `-o`, by its name without the scheme: `region` for `-o s3.region=…`. */
  readonly settings?: ReadonlyMap<string, string>;
  readonly tls?: TlsSettings;
  readonly clock?: Clock;
}

/** How a kind of backend is made from a user's URL, written as restic writes it. */
export interface BackendFactory {
  /** The URL scheme (`s3`, `sftp`), or "" for plain paths. */
  readonly scheme: string;
  /** The settings that `-o SCHEME.NAME=VALUE` may name, each with a line for people. */
  readonly settings: Readonly<Record<string, string>>;
  /** Makes the empty layout; fails with `repository.exists` where a config is already there. */
  create(location: string, options?: OpenBackendOptions): Promise<Backend>;
  /** Opens an existing layout; fails with `repository.none` where there is none. */
  open(location: string, options?: OpenBackendOptions): Promise<Backend>;
  /**
   * Removes what `create` made, once no file is in it; anything else stays. There only where the
   * store keeps empty folders.
   */
  removeEmpty?(location: string, options?: OpenBackendOptions): Promise<void>;
}
