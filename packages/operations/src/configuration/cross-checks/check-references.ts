import type { LocatedMapping } from "../located-value.ts";
import type { Problem } from "../problems.ts";
import type { Configuration } from "../schema/configuration.ts";
import { makeCheckContext } from "./check-context.ts";
import { checkCopies } from "./check-copies.ts";
import { checkDestinations } from "./check-destinations.ts";
import { checkKeeps } from "./check-keeps.ts";
import { checkNames } from "./check-names.ts";
import { checkSameSnapshots } from "./check-same-snapshots.ts";
import { checkTriggers, type ValidateTrigger } from "./check-triggers.ts";

/** What a schema cannot see: how the parts of a configuration fit each other. */
export function checkReferences(given: {
  readonly configuration: Configuration;
  readonly root: LocatedMapping;
  readonly validateTrigger: ValidateTrigger;
}): Problem[] {
  const context = makeCheckContext(given.configuration, given.root);
  checkNames(context);
  checkDestinations(context);
  checkCopies(context);
  checkKeeps(context);
  checkTriggers(context, given.validateTrigger);
  checkSameSnapshots(context);
  return context.problems;
}
