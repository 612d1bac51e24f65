import { type Configuration, QuietWindows, systemZone } from "@comeback/operations";

/** Whether a moment lies in a window such as "22:00-06:00", in the configuration's zone. */
export function isInWindowNow(
  window: string,
  { timezone }: Pick<Configuration, "timezone">,
  nowMs: number,
): boolean {
  const windows = new QuietWindows([window], timezone ?? systemZone());
  return windows.firstOpen(nowMs) > nowMs;
}
