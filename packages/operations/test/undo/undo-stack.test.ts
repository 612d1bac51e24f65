import assert from "node:assert/strict";
import {
  appendFileSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isComebackError, UNDO_JOURNAL_MAX_BYTES } from "@comeback/core";
import { listLeftOver, undoLeftOver, UndoStack } from "@comeback/operations/undo";
import { Flags, hastyClock, scratchFolder } from "./scratch.ts";

const state = scratchFolder();
let runs = 0;

function newRun(flags: Flags) {
  const runId = `run-${++runs}`;
  const journal = join(state, "undo", `${runId}.jsonl`);
  const options = { stateFolder: state, runId, plan: "shop", executor: flags.executor };
  return { runId, journal, open: () => UndoStack.open({ ...options, clock: hastyClock }) };
}

function raise(stack: UndoStack, flags: Flags, name: string, more: { deadlineMs?: number } = {}) {
  const request = { step: flags.step(name), description: `flag ${name}`, ...more };
  return stack.perform(request, async () => flags.raise(name));
}

const journals = (): string[] => readdirSync(join(state, "undo"));

test("everything is undone at the end, newest first, and the journal goes", async () => {
  const flags = new Flags();
  const { journal, open } = newRun(flags);
  {
    await using stack = await open();
    for (const name of ["a", "b", "c"]) await raise(stack, flags, name);
    assert.deepEqual([...flags.up], ["a", "b", "c"]);
    assert.match(readFileSync(journal, "utf8"), /flag c/);
    assert.deepEqual(await listLeftOver(state), [], "a run that lives has left nothing");
  }
  assert.deepEqual(flags.undone, ["c", "b", "a"]);
  assert.deepEqual(journals(), []);
});

test("one thing is undone by itself, and only once", async () => {
  const flags = new Flags();
  const { open } = newRun(flags);
  await using stack = await open();
  const a = await raise(stack, flags, "a");
  await raise(stack, flags, "b");
  await stack.undo(a);
  await stack.undo(a);
  assert.deepEqual([...flags.up], ["b"]);
  await stack.undoAll();
  assert.deepEqual(flags.undone, ["a", "b"]);
});

test("the step is on the disk before it is done", async () => {
  const flags = new Flags();
  const { journal, open } = newRun(flags);
  await using stack = await open();
  await stack.perform({ step: flags.step("a"), description: "flag a" }, async () => {
    assert.match(readFileSync(journal, "utf8"), /"lower","a"/);
  });
});

test("what fails half done is undone at once, as interrupted, and its error goes on", async () => {
  const flags = new Flags();
  const { open } = newRun(flags);
  await using stack = await open();
  const work = stack.perform({ step: flags.step("a"), description: "flag a" }, async () => {
    flags.raise("a");
    throw new Error("half way");
  });
  await assert.rejects(work, { message: "half way" });
  assert.deepEqual(flags.undone, ["a?"]);
});

test("undoing goes on over a failure, tells it, and keeps it for the next start", async () => {
  const flags = new Flags();
  const { runId, open } = newRun(flags);
  const stack = await open();
  for (const name of ["a", "b", "c"]) await raise(stack, flags, name);
  flags.stuck.add("b");
  const report = await stack.undoAll();
  assert.deepEqual(report?.undone, ["flag c", "flag a"]);
  assert.deepEqual(
    report?.failed.map(({ message }) => message),
    ["b is stuck"],
  );
  await assert.rejects(stack[Symbol.asyncDispose](), (error) => {
    assert.ok(isComebackError(error, "undo.incomplete"));
    return true;
  });
  const [left] = await listLeftOver(state);
  assert.equal(left?.runId, runId);
  assert.equal(left?.header?.plan, "shop");
  assert.deepEqual(
    left?.steps.map(({ description, failure }) => [description, failure]),
    [["flag b", "b is stuck"]],
  );
  flags.stuck.clear();
  const executorFor = async () => flags.executor;
  const reports = await undoLeftOver([left], { executorFor, clock: hastyClock });
  assert.deepEqual(
    reports.map(({ undone }) => undone),
    [["flag b"]],
  );
  assert.deepEqual([...flags.up], []);
  assert.deepEqual(await listLeftOver(state), []);
  assert.deepEqual(journals(), []);
});

test("what is over its time is not begun", async () => {
  const flags = new Flags();
  const { open } = newRun(flags);
  await using stack = await open();
  await assert.rejects(raise(stack, flags, "a", { deadlineMs: Date.now() - 1 }), {
    code: "undo.overrun",
  });
  assert.deepEqual([...flags.up], []);
});

test("two runs of one name are refused; the journal of the first stays as it is", async () => {
  const flags = new Flags();
  const { journal, open } = newRun(flags);
  await using stack = await open();
  await raise(stack, flags, "a");
  const before = readFileSync(journal, "utf8");
  await assert.rejects(open(), { code: "undo.busy" });
  assert.equal(readFileSync(journal, "utf8"), before);
});

test("undoing waits for what is still being done", async () => {
  const flags = new Flags();
  const { open } = newRun(flags);
  await using stack = await open();
  const gate = Promise.withResolvers<void>();
  const work = stack.perform({ step: flags.step("a"), description: "flag a" }, async () => {
    await gate.promise;
    flags.raise("a");
  });
  const all = stack.undoAll();
  gate.resolve();
  await work;
  await all;
  assert.deepEqual([...flags.up], []);
});

test("a damaged line is told, and the journal stays", async () => {
  const flags = new Flags();
  const { runId, journal, open } = newRun(flags);
  const stack = await open();
  await raise(stack, flags, "a");
  const text = readFileSync(journal, "utf8");
  flags.stuck.add("a");
  await assert.rejects(stack[Symbol.asyncDispose]());
  flags.stuck.clear();
  writeFileSync(journal, text.replace("flag a", "flag x"));
  appendFileSync(journal, text.slice(text.indexOf("\n") + 1).replace('"id":1', '"id":2'));
  const left = (await listLeftOver(state)).filter((found) => found.runId === runId);
  const options = { executorFor: async () => flags.executor, clock: hastyClock };
  const [report] = await undoLeftOver(left, options);
  const [damaged] = report!.damagedLines;
  assert.equal(damaged?.number, 2, JSON.stringify(report));
  assert.match(damaged.text, /flag x/);
  assert.deepEqual(journals(), [`${runId}.alive`, `${runId}.jsonl`]);
  const kept = readFileSync(journal);
  const [shown] = await undoLeftOver(left, { ...options, clearsDamaged: true });
  assert.equal(shown?.setAside, join(state, "undo", `${runId}.damaged`));
  assert.deepEqual(readFileSync(shown.setAside), kept);
  assert.deepEqual(journals(), [`${runId}.damaged`]);
  assert.deepEqual(await listLeftOver(state), []);
  rmSync(shown.setAside);
});

test("all that can be read is undone, newest first, and nothing is cleared before", async () => {
  const flags = new Flags();
  const { runId, journal, open } = newRun(flags);
  const stack = await open();
  for (const name of ["a", "b", "c", "d", "e"]) await raise(stack, flags, name);
  const text = readFileSync(journal, "utf8");
  for (const name of flags.up) flags.stuck.add(name);
  await assert.rejects(stack[Symbol.asyncDispose]());
  flags.stuck.clear();
  flags.stuck.add("a");
  // The header, the step of c, and the end of the line behind which d is announced.
  const lines = text.replace('"run"', '"rum"').replace("flag c", "flag x").split("\n");
  const beforeD = lines.findIndex((line) => line.includes("flag d")) - 1;
  lines.splice(beforeD, 2, `${lines[beforeD]}\v${lines[beforeD + 1]}`);
  writeFileSync(journal, lines.join("\n"));
  const options = { executorFor: async () => flags.executor, clock: hastyClock };
  const [report] = await undoLeftOver(await listLeftOver(state), {
    ...options,
    clearsDamaged: true,
  });
  assert.deepEqual(report?.undone, ["flag e", "flag d", "flag b"]);
  assert.deepEqual(
    report?.damagedLines.map(({ number }) => number),
    [1, 6, 7],
  );
  assert.deepEqual([report?.setAside, [...flags.up]], [undefined, ["a", "c"]]);
  flags.stuck.clear();
  const [second] = await undoLeftOver(await listLeftOver(state), {
    ...options,
    clearsDamaged: true,
  });
  assert.deepEqual(second?.undone, ["flag a"]);
  assert.deepEqual(journals(), [`${runId}.damaged`]);
  rmSync(join(state, "undo", `${runId}.damaged`));
});

test("a journal that is none of ours keeps no other from being undone", async () => {
  const flags = new Flags();
  const { open } = newRun(flags);
  const stack = await open();
  await raise(stack, flags, "a");
  flags.stuck.add("a");
  await assert.rejects(stack[Symbol.asyncDispose]());
  flags.stuck.clear();
  const huge = join(state, "undo", "zzz.jsonl");
  writeFileSync(huge, "");
  truncateSync(huge, UNDO_JOURNAL_MAX_BYTES + 1);
  const executorFor = async () => flags.executor;
  const reports = await undoLeftOver(await listLeftOver(state), { executorFor, clock: hastyClock });
  assert.deepEqual(
    reports.map(({ undone, failed }) => [undone, failed.length]),
    [
      [[], 1],
      [["flag a"], 0],
    ],
  );
  rmSync(huge);
});
