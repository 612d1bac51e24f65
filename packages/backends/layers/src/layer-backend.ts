import {
  assertLoadRange,
  assertRepositoryFile,
  backendClosed,
  FILE_TYPES,
  type Backend,
  type BackendArchive,
  type BackendRetention,
  type FileType,
  type ListedFile,
  type LoadOptions,
  type OperationOptions,
  type RepositoryFile,
  type SaveOptions,
} from "@comeback/core";

/**
 * A backend in front of another one: it passes everything on. A layer overrides the `perform…` of
 * what it does otherwise; refusing bad names and closed backends, and waiting for calls under way
 * when it is closed, is the same for all: a layer may wait long before its call reaches the store.
 */
export abstract class LayerBackend implements Backend {
  readonly location: string;
  readonly connections: number;
  readonly isRemote: boolean;
  readonly listLagMs: number;
  readonly pacesTransfers: boolean;
  readonly archive: BackendArchive | undefined;
  readonly retention: BackendRetention | undefined;
  readonly leftOvers: Backend["leftOvers"];
  protected readonly inner: Backend;
  readonly #underWay: Set<Promise<unknown>> = new Set();
  #closed = false;

  constructor(
    inner: Backend,
    parts: {
      readonly archive?: BackendArchive | undefined;
      readonly retention?: BackendRetention | undefined;
      readonly leftOvers?: Backend["leftOvers"];
    } = {},
  ) {
    this.inner = inner;
    this.location = inner.location;
    this.connections = inner.connections;
    this.isRemote = inner.isRemote;
    this.listLagMs = inner.listLagMs;
    this.pacesTransfers = inner.pacesTransfers ?? false;
    this.archive = parts.archive ?? inner.archive;
    this.retention = parts.retention ?? inner.retention;
    this.leftOvers = parts.leftOvers ?? inner.leftOvers;
  }

  /** Some adapters find it out by the first answers of the store. */
  get isCreateAtomic(): boolean | undefined {
    return this.inner.isCreateAtomic;
  }

  async save(file: RepositoryFile, data: Uint8Array, options: SaveOptions = {}): Promise<void> {
    this.#assertUsable(file, options);
    await this.#track(this.performSave(file, data, options));
  }

  async load(file: RepositoryFile, options: LoadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    this.#assertUsable(file, options);
    assertLoadRange(options);
    return this.#track(this.performLoad(file, options));
  }

  async stat(file: RepositoryFile, options: OperationOptions = {}): Promise<{ sizeBytes: number }> {
    this.#assertUsable(file, options);
    return this.#track(this.performStat(file, options));
  }

  async remove(file: RepositoryFile, options: OperationOptions = {}): Promise<void> {
    this.#assertUsable(file, options);
    await this.#track(this.performRemove(file, options));
  }

  async *list(type: FileType, options: OperationOptions = {}): AsyncGenerator<ListedFile> {
    if (!FILE_TYPES.includes(type)) assertRepositoryFile({ type, name: "" });
    if (this.#closed) throw backendClosed(this.location);
    options.signal?.throwIfAborted();
    yield* this.performList(type, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#underWay);
    await this.disposeInner();
  }

  protected async disposeInner(): Promise<void> {
    await this.inner[Symbol.asyncDispose]();
  }

  protected performSave(
    file: RepositoryFile,
    data: Uint8Array,
    options: SaveOptions,
  ): Promise<void> {
    return this.inner.save(file, data, options);
  }

  protected performLoad(
    file: RepositoryFile,
    options: LoadOptions,
  ): Promise<Uint8Array<ArrayBuffer>> {
    return this.inner.load(file, options);
  }

  protected performStat(
    file: RepositoryFile,
    options: OperationOptions,
  ): Promise<{ sizeBytes: number }> {
    return this.inner.stat(file, options);
  }

  protected performRemove(file: RepositoryFile, options: OperationOptions): Promise<void> {
    return this.inner.remove(file, options);
  }

  protected performList(type: FileType, options: OperationOptions): AsyncIterable<ListedFile> {
    return this.inner.list(type, options);
  }

  #assertUsable(file: RepositoryFile, { signal }: OperationOptions): void {
    assertRepositoryFile(file);
    if (this.#closed) throw backendClosed(this.location);
    signal?.throwIfAborted();
  }

  async #track<T>(call: Promise<T>): Promise<T> {
    this.#underWay.add(call);
    try {
      return await call;
    } finally {
      this.#underWay.delete(call);
    }
  }
}
