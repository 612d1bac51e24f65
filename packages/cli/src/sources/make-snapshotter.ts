import type { Snapshotter } from "@comeback/core";
import type { SnapshotterSettings } from "@comeback/operations";
import { commandSnapshotter } from "@comeback/source-command";
import type { SourceServices } from "./source-services.ts";

/** The snapshotter that the configuration describes. Touches nothing. */
export function makeSnapshotter(
  snapshotter: SnapshotterSettings,
  { runner, clock }: SourceServices,
): Snapshotter {
  const { create, remove, verify, timeout } = snapshotter.settings;
  return commandSnapshotter({ create, remove, verify, timeoutMs: timeout, runner, clock });
}
