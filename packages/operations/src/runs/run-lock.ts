import { join } from "node:path";
import { ComebackError, ExitCode } from "@comeback/core";
import { ProcessLock } from "../process-lock.ts";

/** The right to run a plan on this machine. Rejects with `run.busy` where the plan is running. */
export function takeRunLock(options: {
  readonly stateFolder: string;
  readonly plan: string;
}): Promise<ProcessLock> {
  const { stateFolder, plan } = options;
  return ProcessLock.take({
    path: join(stateFolder, "locks", `${plan}.lock`),
    busy: (holder) =>
      new ComebackError("run.busy", `${plan} is already running`, {
        why: `${holder === undefined ? "another process" : `process ${holder}`} runs it on this machine`,
        next: "wait for it; `comeback status` shows when it has ended",
        exitCode: ExitCode.skipped,
      }),
  });
}
