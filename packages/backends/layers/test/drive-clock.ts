import type { SimulatedClock } from "@comeback/testkit";

/** Moves time on until the work is done. */
export async function driven<T>(clock: SimulatedClock, work: Promise<T>): Promise<T> {
  let settled = false;
  const watched = work.finally(() => (settled = true));
  watched.catch(() => {});
  while (!settled) {
    const wakeAtMs = clock.nextWakeAtMs;
    await clock.advance(wakeAtMs === undefined ? 0 : wakeAtMs - clock.now());
  }
  return watched;
}
