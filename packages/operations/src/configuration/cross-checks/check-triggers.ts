import type { ValuePath } from "../located-value.ts";
import type { CheckContext } from "./check-context.ts";

/** Says what is wrong with a trigger; undefined where nothing is. */
export type ValidateTrigger = (text: string) => string | undefined;

/** Every text that says when something starts has to be understood by the scheduler. */
export function checkTriggers(context: CheckContext, validateTrigger: ValidateTrigger): void {
  const check = (path: ValuePath, text: string | undefined): void => {
    const wrong = text === undefined ? undefined : validateTrigger(text);
    if (wrong !== undefined) context.report(path, wrong);
  };
  const { plans, channels } = context.configuration;
  for (const [name, plan] of Object.entries(plans)) {
    for (const [type, text] of Object.entries(plan.schedule?.triggers ?? {})) {
      check(["plans", name, "schedule", type], text as string | undefined);
    }
    if (plan.schedule !== undefined && Object.values(plan.schedule.triggers).every(isMissing)) {
      const message = "a schedule needs full, differential or incremental";
      context.report(["plans", name, "schedule"], message, { atKey: true });
    }
    for (const [place, copy] of plan.copies.entries()) {
      check(["plans", name, "copies", place, "schedule"], copy.schedule);
    }
  }
  for (const [name, { digest }] of Object.entries(channels)) {
    check(["channels", name, "digest"], digest);
  }
}

function isMissing(text: string | undefined): boolean {
  return text === undefined;
}
