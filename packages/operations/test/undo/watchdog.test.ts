import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { type TestContext, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { runWatchdog, UndoStack } from "@comeback/operations/undo";
import { SimulatedClock } from "@comeback/testkit";
import { Flags, scratchFolder } from "./scratch.ts";

const state = scratchFolder();
let runs = 0;

/** A run, and a watchdog in the same process that hears and says what a pipe would carry. */
async function watched(t: TestContext, flags: Flags) {
  const clock = new SimulatedClock();
  const runId = `watched-${++runs}`;
  const journalPath = join(state, "undo", `${runId}.jsonl`);
  const { executor } = flags;
  const stack = await UndoStack.open({ stateFolder: state, runId, plan: "p", executor, clock });
  const [input, output] = [new PassThrough(), new PassThrough().setEncoding("utf8")];
  const executorFor = async () => executor;
  const ended = runWatchdog({ journalPath, input, output, executorFor, clock });
  t.after(async () => {
    input.end();
    await ended;
    await stack[Symbol.asyncDispose]();
  });
  const said = async () => JSON.parse((await once(output, "data"))[0] as string) as object;
  const know = async (id: number) => {
    const answer = said();
    input.write(`${JSON.stringify({ type: "know", id })}\n`);
    assert.deepEqual(await answer, { type: "knows", id });
  };
  const raise = (name: string, deadlineMs?: number) =>
    stack.perform({ step: flags.step(name), description: name, deadlineMs }, async () =>
      flags.raise(name),
    );
  return { clock, stack, input, ended, said, know, raise, journalPath };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await setImmediate();
}

test("the end of what connects them is the end of the run: all is undone", async (t) => {
  const flags = new Flags();
  const { raise, know, input, ended, journalPath } = await watched(t, flags);
  await raise("a");
  await know(1);
  await raise("b");
  input.end();
  assert.equal(await ended, true);
  assert.deepEqual(flags.undone, ["b", "a"]);
  assert.ok(!existsSync(journalPath));
});

test("a deadline that passes: the steps of that window are undone, the others stay", async (t) => {
  const flags = new Flags();
  const { clock, raise, know, said, journalPath } = await watched(t, flags);
  const deadlineMs = clock.now() + 1_000;
  await raise("mount");
  await raise("flag", deadlineMs);
  await know(2);
  const overrun = said();
  await clock.advance(999);
  assert.deepEqual([...flags.up], ["mount", "flag"]);
  await clock.advance(1);
  assert.deepEqual(await overrun, { type: "overrun" });
  await until(() => !flags.up.has("flag"));
  assert.deepEqual([...flags.up], ["mount"]);
  assert.match(readFileSync(journalPath, "utf8"), /"type":"overrun","ids":\[2\]/);
});

test("a step that is still being done at its deadline is undone again when it is", async (t) => {
  const flags = new Flags();
  const { clock, stack, know, said } = await watched(t, flags);
  const gate = Promise.withResolvers<void>();
  const deadlineMs = clock.now() + 1_000;
  const request = { step: flags.step("late"), description: "late", deadlineMs };
  const started = Promise.withResolvers<void>();
  const work = stack.perform(request, async () => {
    started.resolve();
    await gate.promise;
    flags.raise("late");
  });
  await started.promise;
  await know(1);
  const overrun = said();
  await clock.advance(1_000);
  await overrun;
  await until(() => flags.undone.length === 1);
  gate.resolve();
  await assert.rejects(work, { code: "undo.overrun" });
  assert.deepEqual(flags.undone, ["late?", "late?"]);
  assert.deepEqual([...flags.up], []);
});

test("what cannot be undone is tried again in rounds, and given up after some", async (t) => {
  const flags = new Flags();
  const { clock, raise, know, input, ended, journalPath } = await watched(t, flags);
  await raise("a");
  await know(1);
  flags.stuck.add("a");
  input.end();
  const state = { hasEnded: false };
  void ended.finally(() => {
    state.hasEnded = true;
  });
  let waitedMs = 0;
  while (!state.hasEnded) {
    const next = clock.nextWakeAtMs;
    if (next !== undefined) {
      waitedMs += next - clock.now();
      await clock.advance(next - clock.now());
    }
    await setImmediate();
  }
  assert.equal(await ended, false);
  assert.ok(waitedMs > 9 * 60_000, `it gave up after ${waitedMs} ms`);
  assert.ok(existsSync(journalPath));
  flags.stuck.clear();
});

test("without a journal there is nothing to watch", async () => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const journalPath = join(state, "undo", "none.jsonl");
  const executorFor = async () => new Flags().executor;
  const options = { journalPath, input, output, executorFor, clock: new SimulatedClock() };
  assert.equal(await runWatchdog(options), true);
  assert.ok(!existsSync(journalPath));
});
