import assert from "node:assert/strict";
import type { Finished } from "./run-program.ts";

export interface ExpectedError {
  readonly exitCode: number;
  /** The stable code in square brackets. */
  readonly code: string;
  /** In what it says, lines joined. */
  readonly says?: RegExp;
}

/** One clear error: what, with its code; what to do next; the right exit code; no stack. */
export function assertError(finished: Finished, expected: ExpectedError): void {
  const { exitCode, code, says } = expected;
  const text = finished.stderr.replaceAll(/\s+/g, " ");
  assert.equal(finished.exitCode, exitCode, finished.describe());
  assert.equal(text.match(/\berror: /g)?.length, 1, finished.describe());
  assert.ok(text.includes(` [${code}] `), `[${code}] was expected: ${finished.describe()}`);
  assert.match(text, / next: \S/, finished.describe());
  assert.doesNotMatch(finished.stderr, /^\s+at .*:\d+:\d+/m, finished.describe());
  if (says !== undefined) assert.match(text, says, finished.describe());
}
