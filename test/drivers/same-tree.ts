import assert from "node:assert/strict";
import {
  compareTrees,
  type CompareOptions,
  describeDifferences,
  type Difference,
} from "@comeback/testkit";

export interface SameTreeOptions extends CompareOptions {
  /** A difference that has to be put up with; say why where you do. */
  excuses?(difference: Difference): boolean;
}

const SHOWN_MAX = 40;

/** Every name, byte and attribute of `expected` is in `actual`, and nothing else. */
export function assertSameTree(
  expected: string,
  actual: string,
  options: SameTreeOptions = {},
): void {
  const differences = compareTrees(expected, actual, options).filter(
    (difference) => options.excuses?.(difference) !== true,
  );
  const more = differences.length > SHOWN_MAX ? `\nof ${differences.length} in all` : "";
  const text = describeDifferences(differences.slice(0, SHOWN_MAX));
  assert.equal(differences.length, 0, `${actual} is not as ${expected}:\n${text}${more}`);
}
