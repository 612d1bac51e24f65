import { COMMAND_STOP_MS, ComebackError } from "@comeback/core";
import { callHttp } from "./call-http.ts";
import { startContainer, unpauseContainer } from "./containers.ts";
import { runProgramWell } from "./run-program.ts";
import type { UndoServices } from "./undo-services.ts";
import type { UndoStep } from "./undo-step.ts";

export interface UndoOptions {
  /** What the step takes back was perhaps not finished: it may be half done. */
  readonly isInterrupted: boolean;
  readonly signal: AbortSignal;
}

/**
 * Takes one thing back. Resolves where it is as it was before, also where nothing had been done;
 * rejects where that is not sure. Ends within the step's timeout and a little.
 */
export type UndoExecutor = (step: UndoStep, options: UndoOptions) => Promise<void>;

export function undoExecutor(services: UndoServices): UndoExecutor {
  return async (step, options) => {
    const { promise, reject } = Promise.withResolvers<never>();
    // What does not heed its own timeout must not keep the others from being undone.
    const patienceMs = maximumMs(step) + 2 * COMMAND_STOP_MS;
    const timer = setTimeout(() => reject(tooSlow(patienceMs)), patienceMs);
    try {
      await Promise.race([carryOut(step, services, options), promise]);
    } finally {
      clearTimeout(timer);
    }
  };
}

function maximumMs(step: UndoStep): number {
  // Looking, stopping to the end, starting.
  return step.kind === "container-start" ? 3 * step.timeoutMs + step.stopTimeoutMs : step.timeoutMs;
}

async function carryOut(
  step: UndoStep,
  services: UndoServices,
  { isInterrupted, signal: outer }: UndoOptions,
): Promise<void> {
  const signal = AbortSignal.any([outer, AbortSignal.timeout(maximumMs(step) + COMMAND_STOP_MS)]);
  const { timeoutMs } = step;
  switch (step.kind) {
    case "command":
      await runProgramWell(step, services, signal);
      return;
    case "http":
      return callHttp(step, services, AbortSignal.any([outer, AbortSignal.timeout(timeoutMs)]));
    case "container-start": {
      const { stopTimeoutMs } = step;
      const options = { isInterrupted, stopTimeoutMs, timeoutMs, signal };
      return startContainer(step, services, options);
    }
    case "container-unpause":
      return unpauseContainer(step, services, { timeoutMs, signal });
    case "systemd-start": {
      const argv = ["systemctl", "start", "--", step.unit] as const;
      await runProgramWell({ argv, timeoutMs }, services, signal);
      return;
    }
    case "snapshot": {
      const snapshotter = services.snapshotter(step.snapshotter);
      if (snapshotter === undefined) throw unknownSnapshotter(step.snapshotter);
      return snapshotter.remove(step.token, signal);
    }
  }
}

function tooSlow(afterMs: number): ComebackError {
  return new ComebackError("undo.incomplete", "it was not undone in time", {
    why: `it had not ended after ${afterMs / 1000} s`,
  });
}

function unknownSnapshotter(name: string): ComebackError {
  return new ComebackError("undo.incomplete", `no snapshotter is named ${name}`, {
    why: "the configuration that the run had named it",
    next: "put it back into the configuration, or remove by hand what it created",
  });
}
