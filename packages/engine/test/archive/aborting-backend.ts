import type { Backend, RepositoryFile, SaveOptions } from "@comeback/core";
import { FaultyBackend } from "@comeback/testkit";

/** Aborts a run at the very save with which so much is stored, however busy the machine is. */
export class AbortingBackend extends FaultyBackend {
  readonly stop = new AbortController();
  readonly #reason: Error;
  #leftBytes: number;

  constructor(inner: Backend, storedBytes: number, reason: Error) {
    super(inner);
    this.#leftBytes = storedBytes;
    this.#reason = reason;
  }

  override async save(
    file: RepositoryFile,
    data: Uint8Array,
    options?: SaveOptions,
  ): Promise<void> {
    const sizeBytes = data.length;
    await super.save(file, data, options);
    if (file.type !== "pack" || this.stop.signal.aborted) return;
    this.#leftBytes -= sizeBytes;
    if (this.#leftBytes <= 0) this.stop.abort(this.#reason);
  }
}
