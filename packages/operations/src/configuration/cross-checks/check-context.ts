import { findValue, type LocatedMapping, type ValuePath } from "../located-value.ts";
import { nearest } from "../nearest.ts";
import type { Problem } from "../problems.ts";
import type { Configuration } from "../schema/configuration.ts";

/** What a check of the whole looks at, and where it says what it found. */
export interface CheckContext {
  readonly configuration: Configuration;
  report(path: ValuePath, message: string, more?: ReportDetails): void;
}

export interface ReportDetails {
  readonly suggestion?: string | undefined;
  /** The key is what is meant. */
  readonly atKey?: boolean;
  readonly isSecret?: boolean;
}

export function makeCheckContext(
  configuration: Configuration,
  root: LocatedMapping,
): CheckContext & { readonly problems: Problem[] } {
  const problems: Problem[] = [];
  return {
    configuration,
    problems,
    report(path, message, { atKey = false, isSecret = false, suggestion } = {}) {
      const { place, keyPlace } = findValue(root, path);
      const hiddenFrom = isSecret ? place.start : undefined;
      problems.push({
        place: atKey ? (keyPlace ?? place) : place,
        message,
        suggestion,
        hiddenFrom,
      });
    },
  };
}

/** Says so where a name is none of those that there are. */
export function checkName(
  context: CheckContext,
  path: ValuePath,
  given: { readonly name: string; readonly what: string; readonly names: readonly string[] },
): boolean {
  const { name, what, names } = given;
  if (names.includes(name)) return true;
  const known = names.length === 0 ? "there is none" : `there is ${names.join(", ")}`;
  context.report(path, `no ${what} is called "${name}"; ${known}`, {
    suggestion: nearest(name, names),
  });
  return false;
}
