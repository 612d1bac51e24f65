import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { inLanes } from "../src/in-lanes.ts";

test("each begins in order once it may, and only one of them waits for that", async () => {
  const began: number[] = [];
  let waiting = 0;
  let mostWaiting = 0;
  const mayBegin = async (): Promise<void> => {
    mostWaiting = Math.max(mostWaiting, ++waiting);
    await turn();
    waiting--;
  };
  await inLanes({ count: 40, lanes: 8, signal: undefined, mayBegin }, async (index) => {
    began.push(index);
    await turn();
    await turn();
  });
  assert.deepEqual(
    began,
    Array.from({ length: 40 }, (_, index) => index),
  );
  assert.equal(mostWaiting, 1);
});

test("a failure ends the waiting of the others, and is what is told", async () => {
  const failure = new Error("the disk is full");
  let begun = 0;
  const mayBegin = async (index: number, signal: AbortSignal): Promise<void> => {
    if (index < 3) return;
    const { promise, reject } = Promise.withResolvers<never>();
    signal.addEventListener("abort", () => reject(new Error("not waited for any more")));
    await promise;
  };
  const done = inLanes({ count: 9, lanes: 9, signal: undefined, mayBegin }, async (index) => {
    begun++;
    await turn();
    if (index === 1) throw failure;
  });
  await assert.rejects(done, (error) => error === failure);
  assert.equal(begun, 3);
});

test("an abort is told with its reason, once nothing runs any more", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  let running = 0;
  const lanes = { count: 20, lanes: 4, signal: controller.signal };
  const done = inLanes(lanes, async (index) => {
    running++;
    await turn();
    if (index === 2) controller.abort(reason);
    await turn();
    running--;
  });
  await assert.rejects(done, (error) => error === reason);
  assert.equal(running, 0);
});
