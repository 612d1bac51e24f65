import type { Instant } from "@comeback/core";

/** The instant of a clock's milliseconds. */
export function instantOfMilliseconds(milliseconds: number): Instant {
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds, nanoseconds: Math.round((milliseconds - seconds * 1000) * 1e6) };
}
