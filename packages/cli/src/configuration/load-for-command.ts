import { loadConfiguration, type LoadedConfiguration } from "@comeback/operations";
import type { Context } from "../context.ts";

/** Says what is wrong with a trigger; undefined where nothing is. */
type ValidateTrigger = (text: string) => string | undefined;

/** The configuration that `--config`, the environment or the usual places name. */
export function loadForCommand(
  { env, signal }: Pick<Context, "env" | "signal">,
  path: string | undefined,
  validateTrigger?: ValidateTrigger,
): Promise<LoadedConfiguration> {
  return loadConfiguration({
    path,
    env,
    signal,
    ...(validateTrigger === undefined ? {} : { validateTrigger }),
  });
}
