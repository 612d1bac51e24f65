import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { TaskSlots } from "../../src/restore/task-slots.ts";

test("tasks wait for a slot and for their bytes, and start in order", async () => {
  const slots = new TaskSlots({ tasks: 2, bytes: 100 });
  const started: string[] = [];
  const start = (name: string, bytes: number): void => {
    void slots.acquire(bytes).then(() => started.push(name));
  };
  start("a", 60);
  start("b", 60);
  start("c", 1);
  await setImmediate();
  assert.deepEqual(started, ["a"]);
  slots.release(60);
  await setImmediate();
  assert.deepEqual(started, ["a", "b", "c"]);
  start("too large", 5000);
  slots.release(1);
  await setImmediate();
  assert.deepEqual(started, ["a", "b", "c"]);
  slots.release(60);
  await setImmediate();
  assert.deepEqual(started, ["a", "b", "c", "too large"]);
});
