import type { StageResult } from "./run-recorder.ts";
import type { RunState } from "./run-state.ts";

/** Writes down what a check of a destination came to. */
export function recordProof(
  { recorder, catalog, services, request, runId }: RunState,
  destination: string,
  result: StageResult<string>,
): Promise<void> {
  return recorder.save(() =>
    catalog.saveProof({
      runId,
      plan: request.plan,
      destination,
      kind: "check",
      atMs: services.clock.now(),
      outcome: result.ok ? result.outcome : "failed",
      message: result.ok ? result.value : result.error.message,
    }),
  );
}
