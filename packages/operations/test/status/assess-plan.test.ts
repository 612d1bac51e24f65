import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlanState, RunRecord, SnapshotRecord } from "@comeback/core";
import { plan as planSchema } from "../../src/configuration/schema/plan.ts";
import { type AssessmentInput, assessPlan } from "../../src/status/assess-plan.ts";

const HOUR_MS = 3600 * 1000;
const NOW_MS = 1000 * HOUR_MS;

const PLAN = planSchema.parse({
  sources: { files: { files: "/srv" }, db: { postgres: {} } },
  to: "nas",
  copies: [{ from: "nas", to: "cloud" }],
  objectives: { rpo: "24h" },
});

function record(source: string, destination: string, ageHours: number): SnapshotRecord {
  return {
    runId: "run",
    plan: "shop",
    source,
    destination,
    snapshotId: "a".repeat(64),
    backupType: "full",
    atMs: NOW_MS - ageHours * HOUR_MS,
    files: 1,
    sizeBytes: 1,
    addedBytes: 1,
    storedBytes: 1,
    items: [],
    outcome: "ok",
  };
}

const GOOD_RUN: RunRecord = {
  id: "run",
  plan: "shop",
  host: "web1",
  trigger: "schedule",
  startedAtMs: NOW_MS - HOUR_MS,
  endedAtMs: NOW_MS,
  outcome: "ok",
  processId: 1,
};

const everywhere = (ageHours: number): SnapshotRecord[] =>
  ["files", "db"].flatMap((source) =>
    ["nas", "cloud"].map((destination) => record(source, destination, ageHours)),
  );

function assess(state: Partial<PlanState> = {}, given: Partial<AssessmentInput> = {}) {
  const destination = { replica: undefined };
  return assessPlan({
    name: "shop",
    plan: PLAN,
    configuration: { destinations: { nas: destination, cloud: destination } } as never,
    state: {
      host: "web1",
      plan: "shop",
      lastRun: GOOD_RUN,
      isRunning: false,
      newest: everywhere(2),
      openMisses: 0,
      ...state,
    },
    nowMs: NOW_MS,
    nextRunMs: undefined,
    intervalMs: undefined,
    ...given,
  });
}

test("all there and young enough: safe", () => {
  const { verdict, reasons, exposureMs } = assess();
  assert.deepEqual(
    { verdict, reasons, exposureMs },
    { verdict: "safe", reasons: [], exposureMs: 2 * HOUR_MS },
  );
});

test("a plan that has never run is unprotected, not unknown", () => {
  const { verdict, exposureMs } = assess({}, { state: undefined });
  assert.deepEqual({ verdict, exposureMs }, { verdict: "unprotected", exposureMs: undefined });
});

test("the exposure is that of the source that is worst off, in its best place", () => {
  const newest = [record("files", "nas", 1), record("db", "nas", 30), record("db", "cloud", 20)];
  assert.equal(assess({ newest }).exposureMs, 20 * HOUR_MS);
});

test("older than the objective: at risk; one source without anything: unprotected", () => {
  assert.equal(assess({ newest: everywhere(25) }).verdict, "at risk");
  const newest = everywhere(1).filter(({ source }) => source === "files");
  assert.equal(assess({ newest }).verdict, "unprotected");
});

test("without an objective, a run may be late by one interval", () => {
  const plan = { ...PLAN, objectives: { rpo: undefined, rto: undefined } };
  const at = (ageHours: number) =>
    assess({ newest: everywhere(ageHours) }, { plan, intervalMs: 24 * HOUR_MS }).verdict;
  assert.deepEqual([at(47), at(49)], ["safe", "at risk"]);
});

test("a failed run is a risk although the state before is young; a warning, a miss, a lacking copy warn", () => {
  assert.equal(assess({ lastRun: { ...GOOD_RUN, outcome: "failed" } }).verdict, "at risk");
  assert.equal(assess({ lastRun: { ...GOOD_RUN, outcome: "warning" } }).verdict, "warning");
  assert.equal(assess({ openMisses: 1 }).verdict, "warning");
  const newest = everywhere(1).filter(({ destination }) => destination === "nas");
  assert.deepEqual(assess({ newest }).reasons, ["cloud lacks a source"]);
  const { outcome: _, endedAtMs: __, ...open } = GOOD_RUN;
  assert.equal(assess({ lastRun: open }).verdict, "at risk");
  assert.equal(assess({ lastRun: open, isRunning: true }).verdict, "safe");
});

test("a recovery that was measured to take too long is a risk; an estimate is only told", () => {
  const plan = { ...PLAN, objectives: { rpo: undefined, rto: HOUR_MS } };
  const measured = (ms: number) => ({ kind: "measured", ms, atMs: NOW_MS }) as const;
  const estimate = (ms: number) =>
    ({ kind: "estimate", ms, sizeBytes: 2 ** 30, bytesPerSecond: 2 ** 20 }) as const;
  const at = (recoveryTime: AssessmentInput["recoveryTime"]) => {
    const { verdict, reasons, notes } = assess({}, { plan, recoveryTime });
    return { verdict, reasons, notes };
  };
  const calm = { verdict: "safe", reasons: [], notes: [] };
  assert.deepEqual(at(measured(HOUR_MS)), calm);
  assert.deepEqual(at(estimate(HOUR_MS)), calm);
  assert.deepEqual(at(measured(2 * HOUR_MS)), {
    ...calm,
    verdict: "at risk",
    reasons: ["a recovery takes 2 h, as last tested; it may take 1 h"],
  });
  const rate = "1.00 GiB at 1.00 MiB/s, as it was backed up";
  assert.deepEqual(at(estimate(3 * HOUR_MS)), {
    ...calm,
    notes: [`a recovery takes 3 h by an estimate (${rate}); it may take 1 h`],
  });
  assert.deepEqual(at(undefined), {
    ...calm,
    notes: ["a recovery takes nobody knows how long; it may take 1 h"],
  });
  assert.deepEqual(assess({}, { recoveryTime: undefined }).notes, []);
});
