import type { Backend, Clock, Random } from "@comeback/core";
import { ConnectionLimitedBackend } from "./connection-limited-backend.ts";
import { ReadOnlyBackend } from "./read-only-backend.ts";
import { type BackendMetrics, MeteredBackend } from "./metered-backend.ts";
import { RateLimitedBackend, type RateLimits } from "./rate-limited-backend.ts";
import type { RetryObserver } from "./retrier.ts";
import { RetryBackend } from "./retry-backend.ts";

export interface StackOptions {
  /** A folder: the system reaches its disk or share, and knows best when to try again. */
  readonly isFolder?: boolean;
  readonly isReadOnly?: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits?: RateLimits;
  readonly metrics?: BackendMetrics;
  /** Once it aborts, failed calls are not made again. */
  readonly stop?: AbortSignal | undefined;
  readonly retryObserver?: RetryObserver | undefined;
}

/**
 * Puts around an adapter what it shall not do by itself (ADR 12 says why in this order). A folder
 * gets neither queue nor retries: where a disk fails, or a share is gone, trying for a quarter of an
 * hour helps nobody, and the person had better be told at once.
 */
export function stackLayers(adapter: Backend, options: StackOptions): Backend {
  const { isFolder = false, clock, random, limits = {}, metrics, stop, retryObserver } = options;
  let backend = adapter;
  if (metrics !== undefined) backend = new MeteredBackend(backend, metrics, clock);
  if (!isFolder) backend = new ConnectionLimitedBackend(backend);
  if (limits.uploadBytesPerSecond !== undefined || limits.downloadBytesPerSecond !== undefined) {
    backend = new RateLimitedBackend(backend, limits, clock);
  }
  if (!isFolder) {
    backend = new RetryBackend(backend, { clock, random, stop, observer: retryObserver });
  }
  return options.isReadOnly === true ? new ReadOnlyBackend(backend) : backend;
}
