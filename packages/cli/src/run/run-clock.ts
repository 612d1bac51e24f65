import type { Clock } from "@comeback/core";

/**
 * What a run takes for the time. For tests only, it begins at COMEBACK_TEST_NOW_MS: nobody waits a
 * month there for what a month of runs keeps. Locks and journals have the real time; a window of
 * maintenance does not, and its watchdog would not understand it.
 */
export function runClock(clock: Clock, env: Readonly<Record<string, string | undefined>>): Clock {
  const startMs = Number(env["COMEBACK_TEST_NOW_MS"]);
  if (!(startMs > 0)) return clock;
  const aheadMs = startMs - clock.now();
  return {
    now: () => clock.now() + aheadMs,
    sleep: (delayMs, signal) => clock.sleep(delayMs, signal),
  };
}
