import assert from "node:assert/strict";
import { test } from "node:test";
import { SimulatedClock } from "@comeback/testkit";
import { runClock } from "../../src/run/run-clock.ts";

test("a run's clock is the machine's, unless a test says when it begins; then it goes on from there", async () => {
  const clock = new SimulatedClock();
  for (const value of [undefined, "", "0", "-5", "tomorrow"]) {
    assert.equal(runClock(clock, { COMEBACK_TEST_NOW_MS: value }), clock);
  }
  const shifted = runClock(clock, { COMEBACK_TEST_NOW_MS: "1772323200000" });
  assert.equal(shifted.now(), 1_772_323_200_000);
  const slept = shifted.sleep(5_000);
  await clock.advance(5_000);
  await slept;
  assert.equal(shifted.now(), 1_772_323_205_000);
});
