import {
  assertLoadRange,
  assertRepositoryFile,
  type Backend,
  backendClosed,
  type FileType,
  type ListedFile,
  type LoadOptions,
  type OperationOptions,
  type RepositoryFile,
  type SaveOptions,
} from "@comeback/core";
import type { SimulatedStore } from "./simulated-store.ts";
import type { Perform, SimulatedProcess } from "./simulated-process.ts";

/** The way of one process to a shared store: the simulation decides when each call is made. */
export class SimulatedBackend implements Backend {
  readonly location: string;
  readonly connections: number;
  readonly isRemote: boolean;
  readonly listLagMs: number;
  readonly #process: SimulatedProcess;
  readonly #store: SimulatedStore;
  readonly #underWay: Set<Promise<unknown>> = new Set();
  #closed = false;

  constructor(process: SimulatedProcess, store: SimulatedStore) {
    this.#process = process;
    this.#store = store;
    this.location = store.name;
    this.connections = store.memory.connections;
    this.isRemote = store.memory.isRemote;
    this.listLagMs = store.listLagMs;
  }

  async save(file: RepositoryFile, data: Uint8Array, options?: SaveOptions): Promise<void> {
    assertRepositoryFile(file);
    const store = async (part: Uint8Array, process: number, nowMs: number): Promise<void> => {
      await this.#store.memory.save(file, part);
      this.#store.noteWrite(file, { process, atMs: nowMs });
    };
    const tear: Perform = async (process, nowMs, random) => {
      this.#store.torn++;
      await store(data.slice(0, random.integer(0, data.length - 1)), process, nowMs);
    };
    const perform: Perform = (process, nowMs) => store(data, process, nowMs);
    await this.#call("save", file, options, perform, tear);
  }

  load(file: RepositoryFile, options: LoadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    assertRepositoryFile(file);
    assertLoadRange(options);
    const { signal: _, ...range } = options;
    return this.#call("load", file, options, () => this.#store.memory.load(file, range));
  }

  stat(file: RepositoryFile, options?: OperationOptions): Promise<{ sizeBytes: number }> {
    assertRepositoryFile(file);
    return this.#call("stat", file, options, () => this.#store.memory.stat(file));
  }

  async remove(file: RepositoryFile, options?: OperationOptions): Promise<void> {
    assertRepositoryFile(file);
    await this.#call("remove", file, options, () => this.#store.memory.remove(file));
  }

  async *list(type: FileType, options?: OperationOptions): AsyncGenerator<ListedFile> {
    const file = { type, name: "" };
    yield* await this.#call("list", file, options, (process, nowMs, random) =>
      this.#store.list(type, { process, nowMs, random }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#underWay);
  }

  async #call<T>(
    method: string,
    file: RepositoryFile,
    options: OperationOptions | undefined,
    perform: Perform<T>,
    tear?: Perform,
  ): Promise<T> {
    if (this.#closed) throw backendClosed(this.location);
    const { signal } = options ?? {};
    const request = { store: this.#store, method, file, signal, perform };
    const result = this.#process.call(tear === undefined ? request : { ...request, tear });
    this.#underWay.add(result);
    try {
      return (await result) as T;
    } finally {
      this.#underWay.delete(result);
    }
  }
}
