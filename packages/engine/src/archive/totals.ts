import type { Clock, Source } from "@comeback/core";
import { TOTALS_DELAY_MS } from "@comeback/core";
import type { ProgressMeter } from "./progress-meter.ts";

/**
 * Walks the source a second time to count it, so that a bar can show how much is left. A short
 * backup ends before this begins, and pays nothing for it.
 */
export function countTotals(
  source: Source,
  meter: ProgressMeter,
  signal: AbortSignal,
  clock: Clock,
): { stop(): Promise<void> } {
  const own = new AbortController();
  const either = AbortSignal.any([signal, own.signal]);
  const counting = count(source, meter, either, clock).catch(() => {
    // The real walk reports what is wrong; without totals the bar has no end, that is all.
  });
  return {
    async stop() {
      own.abort();
      await counting;
    },
  };
}

async function count(
  source: Source,
  meter: ProgressMeter,
  signal: AbortSignal,
  clock: Clock,
): Promise<void> {
  if (meter.observer.wantsTotals !== true) return;
  await clock.sleep(TOTALS_DELAY_MS, signal);
  await using session = await source.open({ signal, onProblem() {} });
  const { live } = meter;
  const stack = [await session.root()];
  for (let entries = stack.pop(); entries !== undefined; entries = stack.pop()) {
    for (const entry of entries) {
      if (entry.metadata.type === "file") {
        live.filesTotal++;
        live.bytesTotal += entry.metadata.sizeBytes;
      } else if (entry.metadata.type === "dir") {
        stack.push(await session.list(entry));
      }
    }
    await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
  }
  live.totalsKnown = true;
}
