import {
  METRICS_TIMES_KEPT_MAX,
  type Backend,
  type Clock,
  type FileType,
  type ListedFile,
  type LoadOptions,
  type OperationOptions,
  type RepositoryFile,
  type SaveOptions,
} from "@comeback/core";
import { LayerBackend } from "./layer-backend.ts";

/** What one method of a backend has done so far; of bytes, only those that came through. */
export interface MethodMetrics {
  calls: number;
  errors: number;
  bytes: number;
  /** From the call to its end, added up, and the longest. */
  totalMs: number;
  longestMs: number;
  /** The times of the last calls, in no particular order. */
  recentMs: number[];
}

export type BackendMetrics = Record<"save" | "load" | "stat" | "list" | "remove", MethodMetrics>;

/** Of the last calls; 0 where there were none. */
export function medianMs({ recentMs }: MethodMetrics): number {
  return recentMs.toSorted((a, b) => a - b)[recentMs.length >> 1] ?? 0;
}

export function newMetrics(): BackendMetrics {
  const none = (): MethodMetrics => ({
    calls: 0,
    errors: 0,
    bytes: 0,
    totalMs: 0,
    longestMs: 0,
    recentMs: [],
  });
  return { save: none(), load: none(), stat: none(), list: none(), remove: none() };
}

/** Counts into an object of the caller's, which may be read at any time. */
export class MeteredBackend extends LayerBackend {
  readonly #metrics: BackendMetrics;
  readonly #clock: Clock;

  constructor(inner: Backend, metrics: BackendMetrics, clock: Clock) {
    super(inner);
    this.#metrics = metrics;
    this.#clock = clock;
  }

  protected override async performSave(
    file: RepositoryFile,
    data: Uint8Array,
    options: SaveOptions,
  ): Promise<void> {
    // Afterwards the buffer may be another thread's.
    const { byteLength } = data;
    await this.#measure("save", () => this.inner.save(file, data, options));
    this.#metrics.save.bytes += byteLength;
  }

  protected override async performLoad(
    file: RepositoryFile,
    options: LoadOptions,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const data = await this.#measure("load", () => this.inner.load(file, options));
    this.#metrics.load.bytes += data.byteLength;
    return data;
  }

  protected override performStat(
    file: RepositoryFile,
    options: OperationOptions,
  ): Promise<{ sizeBytes: number }> {
    return this.#measure("stat", () => this.inner.stat(file, options));
  }

  protected override performRemove(file: RepositoryFile, options: OperationOptions): Promise<void> {
    return this.#measure("remove", () => this.inner.remove(file, options));
  }

  /** What the caller does between two names counts as time of the list. */
  protected override async *performList(
    type: FileType,
    options: OperationOptions,
  ): AsyncGenerator<ListedFile> {
    const startMs = this.#clock.now();
    // Left early is no error.
    let failed = false;
    try {
      yield* this.inner.list(type, options);
    } catch (error) {
      failed = true;
      throw error;
    } finally {
      this.#count("list", startMs, failed);
    }
  }

  async #measure<T>(method: keyof BackendMetrics, call: () => Promise<T>): Promise<T> {
    const startMs = this.#clock.now();
    let failed = true;
    try {
      const result = await call();
      failed = false;
      return result;
    } finally {
      this.#count(method, startMs, failed);
    }
  }

  #count(method: keyof BackendMetrics, startMs: number, failed: boolean): void {
    const counted = this.#metrics[method];
    const tookMs = Math.max(0, this.#clock.now() - startMs);
    counted.recentMs[counted.calls % METRICS_TIMES_KEPT_MAX] = tookMs;
    counted.calls++;
    if (failed) counted.errors++;
    counted.totalMs += tookMs;
    counted.longestMs = Math.max(counted.longestMs, tookMs);
  }
}
