import { describe } from "node:test";
import { testAborts } from "./aborts.ts";
import { testClosing } from "./closing.ts";
import { testConcurrency } from "./concurrency.ts";
import { testContents } from "./contents.ts";
import type { MakeBackend } from "./fixture.ts";
import { testNames } from "./names.ts";
import { testVisibility } from "./visibility.ts";

export type { BackendFixture, MakeBackend } from "./fixture.ts";

/** Holds an adapter to every clause of the contract of `Backend` in core. */
export function backendConformance(name: string, make: MakeBackend): void {
  describe(`backend contract: ${name}`, () => {
    testNames(make);
    testContents(make);
    testVisibility(make);
    testConcurrency(make);
    testAborts(make);
    testClosing(make);
  });
}
