import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { systemClock, tryLockFile } from "@comeback/platform";
import { encodeRecord } from "../../src/undo/journal-lines.ts";
import { listLeftOver } from "../../src/undo/left-over.ts";
import { UndoStack } from "../../src/undo/undo-stack.ts";
import { scratchFolder } from "./scratch.ts";

const STEP = { kind: "command", argv: ["/bin/true"], timeoutMs: 1_000 } as const;

/** A journal with one thing to undo, of a run with this process number; its lock is held by us. */
async function heldJournal(processId: number): Promise<{ state: string; lock: number }> {
  const state = scratchFolder();
  const executor = (): Promise<void> => Promise.reject(new Error("it stays"));
  const clock = { ...systemClock, sleep: () => Promise.resolve() };
  const stack = await UndoStack.open({
    stateFolder: state,
    runId: "r1",
    plan: "p",
    executor,
    clock,
  });
  await stack.perform({ step: STEP, description: "a thing" }, () => Promise.resolve());
  await assert.rejects(stack[Symbol.asyncDispose]());
  const journal = join(state, "undo", "r1.jsonl");
  const [, ...rest] = readFileSync(journal, "utf8").split("\n");
  const header = { type: "run", version: 1, runId: "r1", plan: "p", processId } as const;
  const first = encodeRecord({ ...header, startedAtMs: 0, settings: null });
  writeFileSync(journal, Buffer.concat([Buffer.from(first), Buffer.from(rest.join("\n"))]));
  const lock = openSync(join(state, "undo", "r1.alive"), "a");
  assert.ok(tryLockFile(lock));
  return { state, lock };
}

test("a run that has gone is not alive because its lock outlives it by an instant", async () => {
  const { pid } = spawnSync("/bin/true");
  const { state, lock } = await heldJournal(pid);
  const listing = listLeftOver(state);
  // It has looked at the lock by then, and looks again.
  for (let turn = 0; turn < 20; turn++) await setImmediate();
  closeSync(lock);
  assert.deepEqual(
    (await listing).map(({ runId }) => runId),
    ["r1"],
  );
});

test("a run that lives is alive, and nobody waits for it", async () => {
  const { state, lock } = await heldJournal(process.pid);
  assert.deepEqual(await listLeftOver(state), []);
  closeSync(lock);
  assert.equal((await listLeftOver(state)).length, 1);
});
