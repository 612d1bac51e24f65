import {
  fileLabel,
  type Backend,
  type BackendArchive,
  type BackendRetention,
} from "@comeback/core";
import { type Retrier, RetrySeries } from "./retrier.ts";

/** Asking twice for a thaw is no error, and neither is asking twice how a pack is. */
export function retryingArchive(inner: BackendArchive, retrier: Retrier): BackendArchive {
  return {
    tiers: (storageClass) => inner.tiers(storageClass),
    thaw: (name, options) =>
      retrier.run(`thawing ${fileLabel({ type: "pack", name })}`, options.signal, () =>
        inner.thaw(name, options),
      ),
    async *states(names, options = {}) {
      const left = new Set(names);
      const series = new RetrySeries(retrier, "asking for the state of packs", options.signal);
      for (;;) {
        const before = left.size;
        series.attempt();
        try {
          for await (const pack of inner.states(left.values().toArray(), options)) {
            if (left.delete(pack.name)) yield pack;
          }
          series.succeeded();
          return;
        } catch (error) {
          if (left.size < before) series.progressed();
          await series.failed(error);
        }
      }
    },
  };
}

/** A lock that is set twice to the same time is set. */
export function retryingRetention(inner: BackendRetention, retrier: Retrier): BackendRetention {
  return {
    lockedUntilMs: (file, options) =>
      retrier.run(`asking for the lock of ${fileLabel(file)}`, options?.signal, () =>
        inner.lockedUntilMs(file, options),
      ),
    extend: (file, untilMs, options) =>
      retrier.run(`locking ${fileLabel(file)}`, options?.signal, () =>
        inner.extend(file, untilMs, options),
      ),
    // A person looks at its answer: it is not repeated.
    ...(inner.probe === undefined ? {} : { probe: (options) => inner.probe!(options) }),
  };
}

/** What is gone already counts as removed. */
export function retryingLeftOvers(
  inner: NonNullable<Backend["leftOvers"]>,
  retrier: Retrier,
): NonNullable<Backend["leftOvers"]> {
  return async (options = {}) => {
    const find = (): ReturnType<typeof inner> => inner(options);
    const found = await retrier.run("looking for left-over files", options.signal, find);
    return found.map((file) => ({
      ...file,
      remove: (removal = {}) =>
        retrier.run(`removing ${file.path}`, removal.signal, () => file.remove(removal)),
    }));
  };
}
