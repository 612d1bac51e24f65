import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { lstat, open, readdir, rename, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import {
  CACHE_FILE_MAX_BYTES,
  CACHE_TEMPORARY_MAX_MS,
  CACHE_TOUCH_MS,
  ComebackError,
  isRepositoryFileName,
  LOCAL_STATS_IN_FLIGHT_MAX,
  messageOf,
} from "@comeback/core";
import type { Clock, RepositoryFile } from "@comeback/core";
import { prepareCacheDirectory } from "./cache-directory.ts";

/** The types that are worth keeping, and their folders. */
const FOLDERS = { index: "index", snapshot: "snapshots", pack: "data" } as const;
export type CachedType = keyof typeof FOLDERS;
export interface CachedFile extends RepositoryFile {
  readonly type: CachedType;
}

export function isCachedType(type: string): type is CachedType {
  return Object.hasOwn(FOLDERS, type);
}

export interface CacheStoreOptions {
  readonly directory: string;
  readonly repositoryId: string;
  readonly clock: Clock;
  readonly maxBytes: number;
  /** Called at most once: the cache cannot be written, the work goes on without. */
  onWarning(error: ComebackError): void;
}

/** One part of a file. */
export interface CacheRange {
  readonly offset: number;
  readonly length: number | undefined;
}

/**
 * Files of one repository in a local folder. Nothing here ever fails the work: what cannot be read
 * is absent, and after the first write that fails nothing more is written.
 */
export class CacheStore {
  readonly #options: CacheStoreOptions;
  readonly #root: string;
  #writable = true;
  #writtenBytes = 0;

  private constructor(options: CacheStoreOptions) {
    this.#options = options;
    this.#root = join(options.directory, options.repositoryId);
  }

  static async open(options: CacheStoreOptions): Promise<CacheStore> {
    const store = new CacheStore(options);
    await store.#prepare().catch((error: unknown) => store.#giveUp(error));
    return store;
  }

  /** False after the first write that failed. */
  get isWritable(): boolean {
    return this.#writable;
  }

  /** Larger files are not cached. */
  get fileMaxBytes(): number {
    return Math.min(CACHE_FILE_MAX_BYTES, this.#options.maxBytes);
  }

  /** Bytes written since the last `trim`. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** The range, or `undefined` where the file is not there, too short, or not readable. */
  async read(file: CachedFile, range: CacheRange): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
      const handle = await open(this.#path(file), flags);
      try {
        return await this.#readRange(handle, range);
      } finally {
        await handle.close();
      }
    } catch {
      return undefined;
    }
  }

  async write(file: CachedFile, data: Uint8Array): Promise<void> {
    if (!this.#writable || data.byteLength > this.fileMaxBytes) return;
    try {
      await this.#write(file, data);
    } catch (error) {
      try {
        // Another process, or a person, may have removed the whole cache meanwhile.
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
        await this.#prepare();
        await this.#write(file, data);
      } catch (again) {
        this.#giveUp(again);
      }
    }
    this.#writtenBytes += data.byteLength;
  }

  async remove(file: CachedFile): Promise<void> {
    await unlink(this.#path(file)).catch(() => undefined);
  }

  /** The names of all cached files of a type. */
  async names(type: CachedType): Promise<string[]> {
    const names = await readdir(join(this.#root, FOLDERS[type])).catch(() => []);
    return names.filter((name) => isRepositoryFileName(name));
  }

  /** Removes what was used longest ago until the rest fits, and what crashes left behind. */
  async trim(): Promise<void> {
    this.#writtenBytes = 0;
    const now = this.#options.clock.now();
    const files: StoredFile[] = [];
    for (const folder of Object.values(FOLDERS)) {
      for (const file of await statsOf(join(this.#root, folder))) {
        const isLeft = !file.isOurs && file.usedAtMs < now - CACHE_TEMPORARY_MAX_MS;
        if (isLeft) await unlink(file.path).catch(() => undefined);
        else files.push(file);
      }
    }
    let totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    files.sort((a, b) => a.usedAtMs - b.usedAtMs);
    for (const { path, sizeBytes } of files) {
      if (totalBytes <= this.#options.maxBytes) break;
      await unlink(path).catch(() => undefined);
      totalBytes -= sizeBytes;
    }
  }

  async #prepare(): Promise<void> {
    const { directory, repositoryId, clock } = this.#options;
    await prepareCacheDirectory(directory, repositoryId, Object.values(FOLDERS), clock);
  }

  async #readRange(
    handle: FileHandle,
    range: CacheRange,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const stats = await handle.stat();
    const end = range.length === undefined ? stats.size : range.offset + range.length;
    const length = end - range.offset;
    if (!stats.isFile() || stats.size > this.fileMaxBytes) return undefined;
    if (length < 0 || end > stats.size) return undefined;
    const target = Buffer.allocUnsafeSlow(length);
    for (let done = 0; done < length;) {
      const { bytesRead } = await handle.read(target, done, length - done, range.offset + done);
      if (bytesRead === 0) return undefined;
      done += bytesRead;
    }
    const now = this.#options.clock.now();
    if (this.#writable && stats.mtimeMs < now - CACHE_TOUCH_MS) {
      await handle.utimes(now / 1000, now / 1000).catch(() => undefined);
    }
    return new Uint8Array(target.buffer);
  }

  /** Not synced: a file that a power cut damages fails its check, and is read again. */
  async #write(file: CachedFile, data: Uint8Array): Promise<void> {
    const path = this.#path(file);
    const temporary = `${path}.${randomBytes(8).toString("hex")}`;
    const now = this.#options.clock.now() / 1000;
    const handle = await open(temporary, "wx", 0o600);
    try {
      try {
        await handle.writeFile(data);
        await handle.utimes(now, now);
      } finally {
        await handle.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await unlink(temporary).catch(() => undefined);
      throw error;
    }
  }

  #giveUp(cause: unknown): void {
    if (!this.#writable) return;
    this.#writable = false;
    this.#options.onWarning(
      new ComebackError("cache.unusable", `the cache in ${this.#root} cannot be written`, {
        why: messageOf(cause),
        next: "set COMEBACK_CACHE_DIR to a folder with free space, or use --no-cache",
        cause,
      }),
    );
  }

  #path(file: CachedFile): string {
    return join(this.#root, FOLDERS[file.type], file.name);
  }
}

interface StoredFile {
  readonly path: string;
  /** False for what is still being written, or was when its process ended. */
  readonly isOurs: boolean;
  readonly sizeBytes: number;
  readonly usedAtMs: number;
}

async function statsOf(folder: string): Promise<StoredFile[]> {
  const names = await readdir(folder).catch(() => []);
  const files: StoredFile[] = [];
  for (let i = 0; i < names.length; i += LOCAL_STATS_IN_FLIGHT_MAX) {
    const some = names.slice(i, i + LOCAL_STATS_IN_FLIGHT_MAX).map(async (name) => {
      const path = join(folder, name);
      const stats = await lstat(path).catch(() => undefined);
      if (stats === undefined) return;
      const isOurs = isRepositoryFileName(name);
      files.push({ path, isOurs, sizeBytes: stats.size, usedAtMs: stats.mtimeMs });
    });
    await Promise.all(some);
  }
  return files;
}
