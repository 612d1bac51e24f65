import type { Backend, Clock, LoadOptions, RepositoryFile, SaveOptions } from "@comeback/core";
import { LayerBackend } from "./layer-backend.ts";
import { RateLimit } from "./rate-limit.ts";

export interface RateLimits {
  readonly uploadBytesPerSecond?: number | undefined;
  readonly downloadBytesPerSecond?: number | undefined;
}

/**
 * Holds all transfers of a backend to a rate. A backend that paces its transfers is given the pace,
 * and keeps it at every slice on the wire. For any other one only whole calls can wait: an upload
 * until it would have been sent at the rate, a download once it is there, for as long as it should
 * have taken. On average that is the rate too, but each file goes as fast as the network lets it.
 */
export class RateLimitedBackend extends LayerBackend {
  readonly #upload: RateLimit | undefined;
  readonly #download: RateLimit | undefined;

  constructor(inner: Backend, limits: RateLimits, clock: Clock) {
    super(inner);
    const { uploadBytesPerSecond: up, downloadBytesPerSecond: down } = limits;
    this.#upload = up === undefined ? undefined : new RateLimit(up, clock);
    this.#download = down === undefined ? undefined : new RateLimit(down, clock);
  }

  protected override async performSave(
    file: RepositoryFile,
    data: Uint8Array,
    options: SaveOptions,
  ): Promise<void> {
    const pace = this.#upload?.pass;
    if (pace !== undefined && !this.pacesTransfers) await pace(data.byteLength, options.signal);
    await this.inner.save(file, data, pace === undefined ? options : { ...options, pace });
  }

  protected override async performLoad(
    file: RepositoryFile,
    options: LoadOptions,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const pace = this.#download?.pass;
    if (pace === undefined) return this.inner.load(file, options);
    if (this.pacesTransfers) return this.inner.load(file, { ...options, pace });
    const data = await this.inner.load(file, options);
    await pace(data.byteLength, options.signal);
    return data;
  }
}
