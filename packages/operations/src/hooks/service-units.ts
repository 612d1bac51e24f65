import { ComebackError } from "@comeback/core";
import { runProgram } from "../undo/run-program.ts";
import type { ActionServices } from "../undo/undo-services.ts";

/** "active", "inactive", "failed" …, as systemd says. Rejects where there is no such unit. */
export async function unitState(
  unit: string,
  services: ActionServices,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<string> {
  const argv = ["systemctl", "show", "--property=LoadState,ActiveState", "--", unit] as const;
  const result = await runProgram({ argv, timeoutMs: options.timeoutMs }, services, options.signal);
  const properties = new Map(
    result.stdout.split("\n").map((line): [string, string] => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1).trim()];
    }),
  );
  const state = properties.get("ActiveState");
  if (result.exitCode !== 0 || state === undefined) {
    throw new ComebackError("platform.unsupported", `systemd does not tell about ${unit}`, {
      why: result.lastWords === "" ? "systemctl printed nothing of use" : result.lastWords,
      next: "where systemd does not run, stop the service by a command instead",
    });
  }
  if (properties.get("LoadState") === "not-found") {
    throw new ComebackError("action.failed", `there is no unit ${unit}`, {
      why: "systemd does not know it",
      next: "`systemctl list-units` shows what there is",
    });
  }
  return state;
}

/** What is running, or just about to. */
export function isUnitRunning(state: string): boolean {
  return state === "active" || state === "activating" || state === "reloading";
}
