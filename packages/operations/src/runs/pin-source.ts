import type { PinnedSource } from "@comeback/core";
import { assert } from "@comeback/core";
import { instantOfMilliseconds } from "@comeback/engine";
import type { ActiveStage } from "./run-recorder.ts";
import type { RunState, SourceRun } from "./run-state.ts";

/** Fixes the moment that a source shows. */
export async function pinSource(
  { services }: RunState,
  source: SourceRun,
  stage: ActiveStage,
): Promise<PinnedSource> {
  assert(source.protected !== undefined, "a source is made before it is pinned");
  // A frozen view shows the moment at which it was made.
  if (source.view === undefined || source.atMs === undefined) source.atMs = services.clock.now();
  return source.protected.pin({
    time: instantOfMilliseconds(source.atMs),
    view: source.view,
    signal: stage.signal,
    onLine: (line) => stage.log(line),
  });
}
