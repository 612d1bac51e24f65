import { isComebackError } from "@comeback/core";
import { parseTrigger } from "@comeback/operations";
import { systemCommandRunner } from "@comeback/platform";
import type { CommandContext } from "../context.ts";
import { makeProtectedSource } from "../sources/make-protected-source.ts";
import { makeSnapshotter } from "../sources/make-snapshotter.ts";
import { sourceServicesFor } from "../sources/source-services-for.ts";
import type { PlanParts } from "./check/plan-parts.ts";

/** Says what is wrong with a trigger; undefined where nothing is. */
export function validateTrigger(text: string): string | undefined {
  try {
    parseTrigger(text);
    return undefined;
  } catch (error) {
    if (!isComebackError(error, "schedule.invalid")) throw error;
    return [error.why ?? error.message, error.next].filter((part) => part !== undefined).join("; ");
  }
}

/** The adapters that plans of this program are made of. */
export function planParts(context: Pick<CommandContext, "env" | "clock">): PlanParts {
  const services = sourceServicesFor(context);
  return {
    commands: systemCommandRunner,
    makeSource: (settings) => makeProtectedSource(settings, services),
    makeSnapshotter: (settings) => makeSnapshotter(settings, services),
  };
}
