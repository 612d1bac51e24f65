import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runSeeds } from "./run-seeds.ts";

const FIRST_SEED = 6000;
const SEEDS_OF_TEST = 1_000;

describe("clients of one repository, in very many ways", () => {
  for (let part = 0; part < 5; part++) {
    const first = FIRST_SEED + part * SEEDS_OF_TEST;
    it(`lose nothing, from seed ${first} on`, async () => {
      const { calls } = await runSeeds(first, SEEDS_OF_TEST);
      assert.ok(calls > SEEDS_OF_TEST);
    });
  }
});
