import assert from "node:assert/strict";
import { it } from "node:test";
import { runSeeds } from "./run-seeds.ts";

const FIRST_SEED = 1_000;
const SEEDS_OF_PART = 1_000;

/**
 * A part of ten thousand schedules: a process each, so that all cores have work, and that what a
 * process keeps of many repositories does not add up. A part takes half a minute.
 */
export function simulateMany(part: number): void {
  const first = FIRST_SEED + part * SEEDS_OF_PART;
  it(`clients of one repository lose nothing, from seed ${first} on`, async () => {
    const { calls } = await runSeeds(first, SEEDS_OF_PART);
    assert.ok(calls > SEEDS_OF_PART);
  });
}
