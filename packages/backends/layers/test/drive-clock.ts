import type { SimulatedClock } from "@comeback/testkit";

/** Moves time on until the work is done. */
export async function driven<T>(clock: SimulatedClock, work: Promise<T>): Promise<T> {
  const state = { underWay: true };
  const watched = work.finally(() => (state.underWay = false));
  watched.catch(() => {});
  while (state.underWay) {
    const wakeAtMs = clock.nextWakeAtMs;
    await clock.advance(wakeAtMs === undefined ? 0 : wakeAtMs - clock.now());
  }
  return watched;
}
