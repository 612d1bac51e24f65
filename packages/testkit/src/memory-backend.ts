import {
  assertLoadRange,
  assertRepositoryFile,
  backendClosed,
  FILE_TYPES,
  fileExists,
  fileNotFound,
  fileTooShort,
} from "@comeback/core";
import type {
  Backend,
  FileType,
  ListedFile,
  LoadOptions,
  OperationOptions,
  RepositoryFile,
} from "@comeback/core";

type Files = Map<FileType, Map<string, Uint8Array<ArrayBuffer>>>;

function emptyFiles(): Files {
  return new Map(FILE_TYPES.map((type) => [type, new Map()]));
}

/**
 * A backend in memory that holds to the whole contract. Every call takes a turn of the event loop,
 * so that calls under way at the same time mix as they do on a real store.
 */
export class MemoryBackend implements Backend {
  readonly location: string = "memory";
  readonly connections: number = 4;
  readonly isRemote: boolean = false;
  readonly listLagMs: number;
  readonly #files: Files;
  readonly #underWay: Set<Promise<unknown>> = new Set();
  #closed = false;

  /** Lists show everything at once, and yet a test may have clients wait for them. */
  constructor(listLagMs = 0) {
    this.listLagMs = listLagMs;
    this.#files = emptyFiles();
  }

  /** Another client of the same store. */
  sharing(): MemoryBackend {
    const other = new MemoryBackend(this.listLagMs);
    for (const [type, files] of this.#files) other.#files.set(type, files);
    return other;
  }

  /** A store of its own with what is in this one now: the state after a crash at this moment. */
  clone(listLagMs: number = this.listLagMs): MemoryBackend {
    const other = new MemoryBackend(listLagMs);
    for (const [type, files] of this.#files) {
      for (const [name, data] of files) other.#files.get(type)?.set(name, data.slice());
    }
    return other;
  }

  /** What is stored now, for tests that compare or damage it; a copy. */
  contents(): Map<FileType, Map<string, Uint8Array<ArrayBuffer>>> {
    return this.clone().#files;
  }

  /** Replaces a stored file as no client could: damage at rest. */
  overwrite(file: RepositoryFile, data: Uint8Array): void {
    assertRepositoryFile(file);
    this.#files.get(file.type)?.set(file.name, new Uint8Array(data));
  }

  async save(file: RepositoryFile, data: Uint8Array, options?: OperationOptions): Promise<void> {
    await this.#run(file, options, (files) => {
      if (files.has(file.name)) throw fileExists(file, this.location);
      files.set(file.name, new Uint8Array(data));
    });
  }

  async load(file: RepositoryFile, options: LoadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    assertLoadRange(options);
    return this.#run(file, options, (files) => {
      const data = this.#existing(file, files);
      const start = options.offset ?? 0;
      const end = options.length === undefined ? data.byteLength : start + options.length;
      if (start > data.byteLength || end > data.byteLength) {
        throw fileTooShort(file, Math.max(start, end));
      }
      return data.slice(start, end);
    });
  }

  async stat(file: RepositoryFile, options?: OperationOptions): Promise<{ sizeBytes: number }> {
    return this.#run(file, options, (files) => ({
      sizeBytes: this.#existing(file, files).byteLength,
    }));
  }

  async remove(file: RepositoryFile, options?: OperationOptions): Promise<void> {
    await this.#run(file, options, (files) => files.delete(file.name));
  }

  async *list(type: FileType, options: OperationOptions = {}): AsyncGenerator<ListedFile> {
    const files = this.#files.get(type);
    if (files === undefined) assertRepositoryFile({ type, name: "" });
    if (this.#closed) throw backendClosed(this.location);
    const now = [...(files ?? [])];
    for (const [name, data] of now) {
      options.signal?.throwIfAborted();
      yield { name, sizeBytes: data.byteLength };
      await turn();
    }
    options.signal?.throwIfAborted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#underWay);
  }

  async #run<T>(
    file: RepositoryFile,
    options: OperationOptions | undefined,
    act: (files: Map<string, Uint8Array<ArrayBuffer>>) => T,
  ): Promise<T> {
    assertRepositoryFile(file);
    if (this.#closed) throw backendClosed(this.location);
    options?.signal?.throwIfAborted();
    const result = turn().then(() => {
      options?.signal?.throwIfAborted();
      return act(this.#files.get(file.type)!);
    });
    this.#underWay.add(result);
    try {
      return await result;
    } finally {
      this.#underWay.delete(result);
    }
  }

  #existing(
    file: RepositoryFile,
    files: Map<string, Uint8Array<ArrayBuffer>>,
  ): Uint8Array<ArrayBuffer> {
    const data = files.get(file.name);
    if (data === undefined) throw fileNotFound(file, this.location);
    return data;
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
