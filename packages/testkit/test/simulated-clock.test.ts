import assert from "node:assert/strict";
import { test } from "node:test";
import { SimulatedClock } from "../src/index.ts";

test("time moves only when it is moved, and sleepers wake at their own moments", async () => {
  const clock = new SimulatedClock(1000);
  const log: string[] = [];
  const sleeper = async (name: string, ...delays: number[]): Promise<void> => {
    for (const delay of delays) {
      await clock.sleep(delay);
      log.push(`${name} ${clock.now()}`);
    }
  };
  const all = Promise.all([sleeper("a", 50, 100), sleeper("b", 120), sleeper("c", 0)]);
  await clock.advance(100);
  assert.deepEqual(log, ["c 1000", "a 1050"]);
  assert.equal(clock.now(), 1100);
  assert.equal(clock.sleeping, 2);
  await clock.advance(1000);
  await all;
  assert.deepEqual(log, ["c 1000", "a 1050", "b 1120", "a 1150"]);
  assert.equal(clock.now(), 2100);
});

test("an aborted sleep rejects with the signal's reason", async () => {
  const clock = new SimulatedClock();
  const controller = new AbortController();
  const slept = clock.sleep(50, controller.signal);
  const reason = new Error("enough");
  controller.abort(reason);
  await assert.rejects(slept, (error) => error === reason);
  assert.equal(clock.sleeping, 0);
  await assert.rejects(clock.sleep(50, controller.signal), (error) => error === reason);
});
