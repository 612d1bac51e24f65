import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { OPERATIONS } from "../operations.ts";
import { runSeeds, timesOf } from "../run-seeds.ts";

/** Given to run just one schedule again. */
const chosen = process.env["COMEBACK_SIMULATION_SEED"];
const SEEDS = 300;

describe("clients of one repository, whatever comes between", () => {
  it("lose nothing, and leave it sound", async () => {
    const totals = await runSeeds(Number(chosen ?? 1), chosen === undefined ? SEEDS : 1);
    assert.ok(totals.calls > 0);
    if (chosen !== undefined) return;
    for (const name of Object.keys(OPERATIONS)) {
      assert.ok(timesOf(totals, name, "done") > 0, `${name} was done`);
    }
    for (const outcome of ["refused", "failed", "crashed"] as const) {
      assert.ok(timesOf(totals, "backup", outcome) > 0, `a backup was ${outcome}`);
    }
  });

  it("do the same again with the same seed", async () => {
    const first = Number(chosen ?? 1);
    const { hashes } = await runSeeds(first, 8);
    assert.deepEqual((await runSeeds(first, 8)).hashes, hashes, `seeds from ${first} on`);
  });
});
