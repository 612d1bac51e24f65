import type { Clock, Source, SourceEntry } from "@comeback/core";
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
  const { totalsAfterMs } = meter.observer;
  if (totalsAfterMs === undefined) return;
  await clock.sleep(totalsAfterMs, signal);
  await using session = await source.open({ signal, onProblem() {} });
  const { live } = meter;
  // Folders still to be listed, not what is in them: that may be millions of entries.
  const folders: SourceEntry[] = [];
  const add = (entries: readonly SourceEntry[]): void => {
    for (const entry of entries) {
      if (entry.metadata.type === "dir") folders.push(entry);
      if (entry.metadata.type !== "file") continue;
      live.filesTotal++;
      live.bytesTotal += entry.metadata.sizeBytes;
    }
  };
  add(await session.root());
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    add(await session.list(folder));
    await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
  }
  live.totalsKnown = true;
}
