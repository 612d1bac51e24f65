import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "@comeback/core";

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(delayMs, signal) {
    signal?.throwIfAborted();
    try {
      await delay(delayMs, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      // Node wraps the reason in an AbortError of its own.
      signal?.throwIfAborted();
      throw error;
    }
  },
};
