import type { Clock } from "@comeback/core";
import { markedCommandRunner, resolveText } from "@comeback/operations";
import { systemCommandRunner } from "@comeback/platform";
import type { SourceServices } from "./source-services.ts";

/** This machine's programs, and the secrets that the configuration refers to. */
export function sourceServicesFor({
  env,
  clock,
}: {
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
}): SourceServices {
  return {
    // An orphan of a run that was killed must not redo what is being undone.
    runner: markedCommandRunner(systemCommandRunner),
    clock,
    resolveSecret: (value, signal) =>
      resolveText(value, { env, commands: systemCommandRunner, signal }, "a source's setting"),
  };
}
