import type { Backend } from "@comeback/core";
import { systemClock } from "@comeback/platform";
import { backendConformance, MemoryBackend, SeededRandom } from "@comeback/testkit";
import {
  ConnectionLimitedBackend,
  MeteredBackend,
  newMetrics,
  RateLimitedBackend,
  RetryBackend,
  stackLayers,
  TieredBackend,
} from "../src/index.ts";

const clock = systemClock;
const random = new SeededRandom(5);
const GiB = 1024 ** 3;

/** The suite around one kind of layer, each client with a layer of its own. */
function conformance(name: string, wrap: (inner: Backend) => Backend): void {
  backendConformance(name, async () => {
    const memory = new MemoryBackend();
    const backend = wrap(memory);
    return {
      backend,
      another: async () => wrap(memory.sharing()),
      [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
    };
  });
}

conformance("retry", (inner) => new RetryBackend(inner, { clock, random }));
conformance("connection limit", (inner) => new ConnectionLimitedBackend(inner, 2));
conformance("one connection", (inner) => new ConnectionLimitedBackend(inner, 1));
conformance("metrics", (inner) => new MeteredBackend(inner, newMetrics(), clock));
conformance("rate limit", (inner) => {
  const limits = { uploadBytesPerSecond: GiB, downloadBytesPerSecond: GiB };
  return new RateLimitedBackend(inner, limits, clock);
});
conformance("the whole stack", (inner) => {
  const limits = { uploadBytesPerSecond: GiB, downloadBytesPerSecond: GiB };
  return stackLayers(inner, { clock, random, limits, metrics: newMetrics() });
});

backendConformance("two tiers", async () => {
  const [hot, cold] = [new MemoryBackend(), new MemoryBackend()];
  const backend = new TieredBackend({ hot, cold });
  return {
    backend,
    another: async () => new TieredBackend({ hot: hot.sharing(), cold: cold.sharing() }),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
});
