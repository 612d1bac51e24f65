import type {
  Backend,
  LoadOptions,
  OperationOptions,
  RepositoryFile,
  SaveOptions,
} from "@comeback/core";
import { ConnectionLimit } from "./connection-limit.ts";
import { LayerBackend } from "./layer-backend.ts";

/**
 * A bounded number of calls at once, in the order in which they came. Locks have a connection of
 * their own: one that is not refreshed in time because large packs stand before it is lost. Lists
 * are not counted: whoever reads one makes other calls meanwhile, and would wait for itself.
 */
export class ConnectionLimitedBackend extends LayerBackend {
  override readonly connections: number;
  readonly #limit: ConnectionLimit;
  readonly #locks: ConnectionLimit = new ConnectionLimit(1);

  constructor(inner: Backend, connections: number = inner.connections) {
    super(inner);
    this.connections = connections;
    this.#limit = new ConnectionLimit(connections);
  }

  protected override performSave(
    file: RepositoryFile,
    data: Uint8Array,
    options: SaveOptions,
  ): Promise<void> {
    return this.#run(file, options, () => this.inner.save(file, data, options));
  }

  protected override performLoad(
    file: RepositoryFile,
    options: LoadOptions,
  ): Promise<Uint8Array<ArrayBuffer>> {
    return this.#run(file, options, () => this.inner.load(file, options));
  }

  protected override performStat(
    file: RepositoryFile,
    options: OperationOptions,
  ): Promise<{ sizeBytes: number }> {
    return this.#run(file, options, () => this.inner.stat(file, options));
  }

  protected override performRemove(file: RepositoryFile, options: OperationOptions): Promise<void> {
    return this.#run(file, options, () => this.inner.remove(file, options));
  }

  #run<T>(file: RepositoryFile, { signal }: OperationOptions, call: () => Promise<T>): Promise<T> {
    return (file.type === "lock" ? this.#locks : this.#limit).run(call, signal);
  }
}
