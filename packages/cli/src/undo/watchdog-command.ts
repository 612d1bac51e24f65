import type { WatchdogCommand } from "@comeback/operations/undo";

/** Starts this same program as a run's watchdog, which has little to keep in memory. */
export function watchdogCommand(): WatchdogCommand {
  const main = process.argv[1] ?? "";
  return { argv: [process.execPath, "--max-semi-space-size=1", main, "watchdog"] };
}
