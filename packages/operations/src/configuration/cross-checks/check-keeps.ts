import { isEmptyPolicy, type KeepPolicy } from "@comeback/engine";
import type { ValuePath } from "../located-value.ts";
import type { CheckContext } from "./check-context.ts";

/** Rules that keep nothing at all would remove every snapshot: nobody means that. */
export function checkKeeps(context: CheckContext): void {
  const check = (path: ValuePath, keep: KeepPolicy | undefined): void => {
    if (keep === undefined || !isEmptyPolicy(keep)) return;
    context.report(path, "these rules keep nothing: every snapshot would go", { atKey: true });
  };
  const { destinations, plans } = context.configuration;
  for (const [name, { keep }] of Object.entries(destinations)) {
    check(["destinations", name, "keep"], keep);
  }
  for (const [name, plan] of Object.entries(plans)) {
    check(["plans", name, "keep"], plan.keep);
    for (const [place, copy] of plan.copies.entries()) {
      check(["plans", name, "copies", place, "keep"], copy.keep);
    }
  }
}
