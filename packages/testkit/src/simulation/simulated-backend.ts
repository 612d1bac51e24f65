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
import type { SimulatedProcess } from "./simulated-process.ts";

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
    await this.#call("save", file, options, async (process, nowMs) => {
      await this.#store.memory.save(file, data);
      this.#store.noteWrite(file, { process, atMs: nowMs });
    });
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
    perform: Parameters<SimulatedProcess["call"]>[0]["perform"] & ((...all: never) => Promise<T>),
  ): Promise<T> {
    if (this.#closed) throw backendClosed(this.location);
    const { signal } = options ?? {};
    const result = this.#process.call({ store: this.#store, method, file, signal, perform });
    this.#underWay.add(result);
    try {
      return (await result) as T;
    } finally {
      this.#underWay.delete(result);
    }
  }
}
