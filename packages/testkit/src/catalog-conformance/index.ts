import { describe } from "node:test";
import { testAudit } from "./audit.ts";
import { testClosing } from "./closing.ts";
import { testFileHistory, testLongRecordings } from "./file-history.ts";
import type { MakeCatalog } from "./fixture.ts";
import { testHosts, testManyHosts } from "./hosts.ts";
import { testManyPlans, testPlanStates } from "./plan-states.ts";
import { testFigures, testRecords, testSchedules } from "./records.ts";
import { testRemoval } from "./removal.ts";
import { testRuns, testStagesAndLog } from "./runs.ts";

export type { CatalogFixture, MakeCatalog } from "./fixture.ts";
export { makeRun, makeSnapshot } from "./fixture.ts";

/** Holds an adapter to every clause of the contract of `CatalogStore` in core. */
export function catalogConformance(name: string, make: MakeCatalog): void {
  describe(`catalog contract: ${name}`, () => {
    testRuns(make);
    testStagesAndLog(make);
    testRecords(make);
    testFigures(make);
    testSchedules(make);
    testPlanStates(make);
    testManyPlans(make);
    testAudit(make);
    testFileHistory(make);
    testLongRecordings(make);
    testRemoval(make);
    testHosts(make);
    testManyHosts(make);
    testClosing(make);
  });
}
