import { createHash } from "node:crypto";
import { setImmediate as breathe } from "node:timers/promises";
import { type ByteString, type Instant, messageOf } from "@comeback/core";
import {
  AT_FDCWD,
  close,
  type FileStatus,
  getXattr,
  listXattrs,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  openAt,
  openPath,
  readDirectory,
  readInto,
  readLinkAt,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  statAt,
} from "@comeback/platform";

/** Everything about an entry that a restore has to bring back. */
export interface ScannedEntry {
  /** Kind and permissions: `st_mode`. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: Instant;
  /** Files only: for folders it says nothing. */
  readonly sizeBytes: number | undefined;
  /** SHA-256 of a file's bytes. */
  readonly content: string | undefined;
  readonly linkTarget: ByteString | undefined;
  /** What a device file stands for. */
  readonly device: string | undefined;
  /** Names and values of all extended attributes, ACLs among them, sorted. */
  readonly attributes: string;
  /** The first path of the same file, where it has several (hard links). */
  readonly sameFileAs: ByteString | undefined;
  /** It could not be read: nothing can be said about it. */
  readonly unreadable: string | undefined;
}

/** Entries by their path below the root, which is "" itself; in the order of their names. */
export type ScannedTree = Map<ByteString, ScannedEntry>;

export interface ScanOptions {
  readonly signal: AbortSignal;
  /** Leave out these absolute paths and what is in them. */
  readonly without?: readonly ByteString[];
  onEntry?(path: ByteString, entry: ScannedEntry): void;
}

const READ_BUFFER_BYTES = 1024 * 1024;
/** The scan is synchronous in its calls: after this long it lets Ctrl-C have its turn. */
const BREATH_MS = 40;

/**
 * Looks at a folder with all that is in it, by itself: nothing of backup or restore is used here,
 * so that a mistake of theirs cannot hide itself. Stays within the file system of the root.
 */
export async function scanTree(root: ByteString, options: ScanOptions): Promise<ScannedTree> {
  const scan = new Scan(root, options);
  await scan.run();
  return scan.entries;
}

class Scan {
  readonly entries: ScannedTree = new Map();
  readonly #root: ByteString;
  readonly #options: ScanOptions;
  readonly #firstPaths = new Map<string, ByteString>();
  readonly #buffer: Buffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  #breathAtMs = performance.now() + BREATH_MS;
  #device: number | bigint = 0;

  constructor(root: ByteString, options: ScanOptions) {
    this.#root = root;
    this.#options = options;
  }

  async run(): Promise<void> {
    const status = statAt(AT_FDCWD, this.#root);
    this.#device = status.deviceId;
    const dirFd = openPath(this.#root, O_RDONLY | O_DIRECTORY);
    try {
      this.#note("", this.#describe(dirFd, ".", "", status));
      await this.#list(dirFd, "");
    } finally {
      close(dirFd);
    }
  }

  async #list(dirFd: number, path: ByteString): Promise<void> {
    const names = readDirectory(dirFd).map(({ name }) => name);
    for (const name of names.sort()) {
      if (performance.now() > this.#breathAtMs) {
        await breathe();
        this.#options.signal.throwIfAborted();
        this.#breathAtMs = performance.now() + BREATH_MS;
      }
      const entryPath = path === "" ? name : `${path}/${name}`;
      if (this.#options.without?.includes(`${this.#root}/${entryPath}`)) continue;
      await this.#visit(dirFd, name, entryPath);
    }
  }

  async #visit(dirFd: number, name: ByteString, path: ByteString): Promise<void> {
    let status: FileStatus;
    try {
      status = statAt(dirFd, name);
    } catch {
      // It vanished while we were looking.
      return;
    }
    let entry: ScannedEntry;
    let childFd: number | undefined;
    try {
      entry = this.#describe(dirFd, name, path, status);
      const isFolder = (status.mode & S_IFMT) === S_IFDIR;
      if (isFolder && status.deviceId === this.#device) {
        childFd = openAt(dirFd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      }
    } catch (error) {
      entry = { ...plainEntry(status), unreadable: messageOf(error) };
    }
    this.#note(path, entry);
    if (childFd === undefined) return;
    try {
      await this.#list(childFd, path);
    } finally {
      close(childFd);
    }
  }

  #note(path: ByteString, entry: ScannedEntry): void {
    this.entries.set(path, entry);
    this.#options.onEntry?.(path, entry);
  }

  #describe(dirFd: number, name: ByteString, path: ByteString, status: FileStatus): ScannedEntry {
    const kind = status.mode & S_IFMT;
    const isFolder = kind === S_IFDIR;
    return {
      ...plainEntry(status),
      attributes: attributesOf(dirFd, name),
      ...(isFolder ? {} : { sameFileAs: this.#firstPath(status, path) }),
      ...(kind === S_IFREG ? { content: this.#hash(dirFd, name) } : {}),
      ...(kind === S_IFLNK ? { linkTarget: readLinkAt(dirFd, name) } : {}),
    };
  }

  #firstPath(status: FileStatus, path: ByteString): ByteString | undefined {
    if (status.links < 2) return undefined;
    const key = `${status.deviceId}:${status.inode}`;
    const first = this.#firstPaths.get(key);
    if (first === undefined) this.#firstPaths.set(key, path);
    return first ?? path;
  }

  #hash(dirFd: number, name: ByteString): string {
    const hash = createHash("sha256");
    const fd = openAt(dirFd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      for (;;) {
        const length = readInto(fd, this.#buffer, 0, READ_BUFFER_BYTES, -1);
        if (length === 0) return hash.digest("hex");
        hash.update(this.#buffer.subarray(0, length));
      }
    } finally {
      close(fd);
    }
  }
}

function plainEntry(status: FileStatus): ScannedEntry {
  const { mode, uid, gid, mtime, device } = status;
  return {
    mode,
    uid,
    gid,
    mtime,
    sizeBytes: (mode & S_IFMT) === S_IFREG ? status.sizeBytes : undefined,
    content: undefined,
    linkTarget: undefined,
    device: device === 0 ? undefined : String(device),
    attributes: "",
    sameFileAs: undefined,
    unreadable: undefined,
  };
}

function attributesOf(dirFd: number, name: ByteString): string {
  const names = listXattrs({ dirFd, name });
  if (names.length === 0) return "";
  return names
    .sort()
    .map((key) => `${key}=${getXattr({ dirFd, name }, key)?.toString("base64") ?? ""}`)
    .join("\n");
}
