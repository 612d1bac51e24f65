import { hash } from "node:crypto";
import {
  assertLoadRange,
  assertRepositoryFile,
  backendClosed,
  CACHE_MAX_BYTES,
  CACHE_PENDING_MAX_BYTES,
  isComebackError,
} from "@comeback/core";
import type {
  Backend,
  BackendArchive,
  BackendRetention,
  Clock,
  ComebackError,
  FileType,
  ListedFile,
  LoadOptions,
  OperationOptions,
  RepositoryFile,
  SaveOptions,
} from "@comeback/core";
import { removeUnusedCaches } from "./cache-directory.ts";
import { CacheStore, isCachedType } from "./cache-store.ts";
import type { CachedFile, CacheRange } from "./cache-store.ts";

export { defaultCacheDirectory } from "./cache-directory.ts";

/**
 * A backend whose index and snapshot files, and those packs that hold trees, are also kept in a
 * local folder. What comes from there is as good as the original: index and snapshot files are
 * checked against their names at every load; blobs of packs are checked by whoever opens them,
 * who says `forget` where they do not hold.
 */
export interface CachedBackend extends Backend {
  /** This pack holds trees: a load of any part of it brings the whole into the cache. */
  cacheable(file: RepositoryFile): void;
  /**
   * Puts a file that was just saved into the cache; it is not asked for again. Does not wait, and
   * never fails. `data` must not be changed any more.
   */
  store(file: RepositoryFile, data: Uint8Array): void;
  /** The cached copy did not hold: from now on loads of this file go to the original. */
  forget(file: RepositoryFile): void;
}

export interface CacheOptions {
  /** Holds the caches of all repositories; see `defaultCacheDirectory`. */
  readonly directory: string;
  readonly repositoryId: string;
  readonly clock: Clock;
  /** The repository's cache is trimmed to about this size; default `CACHE_MAX_BYTES`. */
  readonly maxBytes?: number;
  /** Told once, where the cache cannot be used; the work goes on without it. */
  onWarning(error: ComebackError): void;
}

/** Puts a cache in front of a backend. A cache that cannot be used is no failure. */
export async function cachedBackend(inner: Backend, options: CacheOptions): Promise<CachedBackend> {
  const maxBytes = options.maxBytes ?? CACHE_MAX_BYTES;
  const store = await CacheStore.open({ ...options, maxBytes });
  const cached = new CachingBackend(inner, store, maxBytes);
  const { directory, repositoryId, clock } = options;
  cached.inBackground(removeUnusedCaches(directory, repositoryId, clock));
  return cached;
}

class CachingBackend implements CachedBackend {
  readonly location: string;
  readonly connections: number;
  readonly isRemote: boolean;
  readonly listLagMs: number;
  readonly archive: BackendArchive | undefined;
  readonly retention: BackendRetention | undefined;
  readonly leftOvers: Backend["leftOvers"];
  readonly #inner: Backend;
  readonly #store: CacheStore;
  readonly #maxBytes: number;
  readonly #treePacks: Set<string> = new Set();
  /** Names of files that are not taken from the cache: damaged there, or too large for it. */
  readonly #bypassed: Set<string> = new Set();
  /** Whole files on their way into the cache, so that each is fetched only once. */
  readonly #arriving: Map<string, Promise<unknown>> = new Map();
  readonly #background: Set<Promise<unknown>> = new Set();
  #pendingBytes = 0;
  #closed = false;

  constructor(inner: Backend, store: CacheStore, maxBytes: number) {
    this.#inner = inner;
    this.#store = store;
    this.#maxBytes = maxBytes;
    this.location = inner.location;
    this.connections = inner.connections;
    this.isRemote = inner.isRemote;
    this.listLagMs = inner.listLagMs;
    this.archive = inner.archive;
    this.retention = inner.retention;
    this.leftOvers = inner.leftOvers;
  }

  get isCreateAtomic(): boolean | undefined {
    return this.#inner.isCreateAtomic;
  }

  cacheable(file: RepositoryFile): void {
    if (file.type === "pack") this.#treePacks.add(file.name);
  }

  store(file: RepositoryFile, data: Uint8Array): void {
    assertRepositoryFile(file);
    this.cacheable(file);
    if (!this.#isCached(file) || this.#closed) return;
    if (this.#pendingBytes + data.byteLength > CACHE_PENDING_MAX_BYTES) return;
    this.#pendingBytes += data.byteLength;
    this.inBackground(
      this.#put(file, data).finally(() => {
        this.#pendingBytes -= data.byteLength;
      }),
    );
  }

  forget(file: RepositoryFile): void {
    if (!isCachedFile(file)) return;
    this.#bypassed.add(file.name);
    this.inBackground(this.#store.remove(file));
  }

  async save(file: RepositoryFile, data: Uint8Array, options?: SaveOptions): Promise<void> {
    await this.#inner.save(file, data, options);
    // The caller may use its buffer again once this settles: so the cache comes first.
    if (this.#isCached(file) && isVerified(file, data)) await this.#put(file, data);
  }

  async load(file: RepositoryFile, options: LoadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    assertRepositoryFile(file);
    assertLoadRange(options);
    if (this.#closed) throw backendClosed(this.location);
    if (!this.#isCached(file)) return this.#inner.load(file, options);
    options.signal?.throwIfAborted();
    const range = { offset: options.offset ?? 0, length: options.length };
    const cached = await this.#fromCache(file, range);
    if (cached !== undefined) return cached;
    // Without a cache that takes it, the rest of a pack would be fetched for nothing.
    if (!this.#store.isWritable && file.type === "pack") return this.#inner.load(file, options);
    const arriving = this.#arriving.get(file.name);
    if (arriving !== undefined) {
      await arriving.catch(() => undefined);
      return (await this.#fromCache(file, range)) ?? this.#inner.load(file, options);
    }
    const fetched = this.#fetch(file, options.signal);
    this.#arriving.set(file.name, fetched);
    try {
      const whole = await fetched;
      if (range.offset === 0 && range.length === undefined) return whole;
      // Beyond the end: the original says so in its own words.
      return sliceOf(whole, range) ?? (await this.#inner.load(file, options));
    } finally {
      this.#arriving.delete(file.name);
    }
  }

  async stat(file: RepositoryFile, options?: OperationOptions): Promise<{ sizeBytes: number }> {
    try {
      return await this.#inner.stat(file, options);
    } catch (error) {
      if (isCachedFile(file) && isComebackError(error, "backend.not-found")) {
        await this.#store.remove(file);
      }
      throw error;
    }
  }

  async remove(file: RepositoryFile, options?: OperationOptions): Promise<void> {
    await this.#inner.remove(file, options);
    if (isCachedFile(file)) await this.#store.remove(file);
  }

  /** A complete list also cleans the cache of files that are gone. */
  async *list(type: FileType, options?: OperationOptions): AsyncGenerator<ListedFile> {
    // Taken before: what is cached during the list need not be in it.
    const cached = isCachedType(type) && !this.#closed ? await this.#store.names(type) : [];
    const gone = new Set(cached);
    for await (const file of this.#inner.list(type, options)) {
      gone.delete(file.name);
      yield file;
    }
    if (!isCachedType(type)) return;
    for (const name of gone) await this.#store.remove({ type, name });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.allSettled([...this.#background, ...this.#arriving.values()]);
    if (this.#store.writtenBytes > 0) await this.#store.trim();
    await this.#inner[Symbol.asyncDispose]();
  }

  /** Work that nobody waits for until the backend is closed. */
  inBackground(work: Promise<unknown>): void {
    const settled = work
      .catch(() => undefined)
      .finally(() => {
        this.#background.delete(settled);
      });
    this.#background.add(settled);
  }

  #isCached(file: RepositoryFile): file is CachedFile {
    if (!isCachedFile(file) || this.#bypassed.has(file.name)) return false;
    return file.type !== "pack" || this.#treePacks.has(file.name);
  }

  async #fromCache(
    file: CachedFile,
    range: CacheRange,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (file.type === "pack") return this.#store.read(file, range);
    const whole = await this.#store.read(file, { offset: 0, length: undefined });
    if (whole === undefined) return undefined;
    if (!isVerified(file, whole)) {
      await this.#store.remove(file);
      return undefined;
    }
    return range.offset === 0 && range.length === undefined ? whole : sliceOf(whole, range);
  }

  /** The whole original, which is put into the cache if it is what its name says. */
  async #fetch(
    file: CachedFile,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const data = await this.#inner.load(file, { signal });
    if (isVerified(file, data)) await this.#put(file, data);
    return data;
  }

  async #put(file: CachedFile, data: Uint8Array): Promise<void> {
    if (data.byteLength > this.#store.fileMaxBytes) this.#bypassed.add(file.name);
    await this.#store.write(file, data);
    if (this.#store.writtenBytes > this.#maxBytes / 8) await this.#store.trim();
  }
}

function isCachedFile(file: RepositoryFile): file is CachedFile {
  return isCachedType(file.type);
}

/** Every file that is cached has the SHA-256 of its content as its name. */
function isVerified(file: RepositoryFile, data: Uint8Array): boolean {
  return hash("sha256", data, "hex") === file.name;
}

function sliceOf(whole: Uint8Array<ArrayBuffer>, range: CacheRange): typeof whole | undefined {
  const end = range.length === undefined ? whole.byteLength : range.offset + range.length;
  return range.offset > end || end > whole.byteLength ? undefined : whole.slice(range.offset, end);
}
