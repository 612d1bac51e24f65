import { join } from "node:path";
import { ComebackError } from "@comeback/core";
import { ProcessLock } from "@comeback/operations";

/**
 * One daemon a state folder, whichever way it was started. Rejects with `run.busy` where another one
 * holds it.
 */
export function lockDaemon(stateFolder: string): Promise<ProcessLock> {
  const path = join(stateFolder, "daemon.lock");
  return ProcessLock.take({
    path,
    busy: (holder) =>
      new ComebackError("run.busy", "a daemon runs already for this configuration", {
        why: `process ${holder ?? "unknown"} holds ${path}`,
        next: "stop that one first (`systemctl stop comeback`), or give this one another `state`",
      }),
  });
}
