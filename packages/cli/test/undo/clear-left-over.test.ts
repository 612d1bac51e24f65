import assert from "node:assert/strict";
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { UndoStack } from "@comeback/operations/undo";
import { systemClock } from "@comeback/platform";
import { Terminal } from "../../src/terminal/terminal.ts";
import { clearLeftOver } from "../../src/undo/clear-left-over.ts";
import { RecordingStream } from "../recording-stream.ts";

const folder = mkdtempSync(join(tmpdir(), "comeback-undo-"));
after(() => rmSync(folder, { recursive: true }));
const flag = join(folder, "flag");

/** A run that ended without being able to undo what it did. */
async function leaveOver(stateFolder: string, command: string): Promise<void> {
  writeFileSync(flag, "");
  const executor = () => Promise.reject(new Error("killed"));
  const clock = { ...systemClock, sleep: () => Promise.resolve() };
  const stack = await UndoStack.open({ stateFolder, runId: "r1", plan: "shop", executor, clock });
  const step = { kind: "command", argv: ["/bin/sh", "-c", command], timeoutMs: 5_000 } as const;
  await stack.perform({ step, description: "maintenance \u001b[31mmode" }, () => Promise.resolve());
  await assert.rejects(stack[Symbol.asyncDispose]());
}

async function clear(stateFolder: string, { dryRun = false, json = false } = {}) {
  const stdout = new RecordingStream({ isTTY: false });
  const stderr = new RecordingStream({ isTTY: false });
  const terminal = new Terminal({ stdout, stderr, env: {} });
  const globals = { json } as Parameters<typeof clearLeftOver>[0]["globals"];
  const { signal } = new AbortController();
  const clock = { ...systemClock, sleep: () => Promise.resolve() };
  const exitCode = await clearLeftOver(
    { terminal, globals, clock, signal, env: {} },
    { stateFolder, dryRun },
  );
  return { exitCode, text: stdout.text };
}

test("nothing is left over: so it says", async () => {
  const { exitCode, text } = await clear(join(folder, "none"));
  assert.deepEqual([exitCode, text], [0, "nothing is left over\n"]);
});

test("a dry run shows what would be undone, and undoes nothing", async () => {
  const state = join(folder, "dry");
  await leaveOver(state, `rm -f '${flag}'`);
  const { exitCode, text } = await clear(state, { dryRun: true });
  assert.equal(exitCode, 0);
  assert.match(text, /^run r1 of shop left 1 thing, since \d{4}-/);
  assert.match(text, /\n {2}undo maintenance \\x1b\[31mmode \(failed before: killed\)\n$/);
  assert.ok(existsSync(flag));
  const json = JSON.parse((await clear(state, { dryRun: true, json: true })).text) as {
    message_type: string;
    runs: { run: string; plan: string; steps: { kind: string; is_finished: boolean }[] }[];
  };
  assert.equal(json.message_type, "undo_plan");
  assert.deepEqual(
    json.runs[0]?.steps.map(({ kind, is_finished }) => [kind, is_finished]),
    [["command", true]],
  );
  const done = await clear(state, { json: true });
  assert.equal(done.exitCode, 0);
  assert.match(done.text, /^\{"message_type":"undo","runs":\[\{"run":"r1"/);
  assert.ok(!existsSync(flag));
});

test("a damaged line is shown and cleared with its run, and kept beside", async () => {
  const state = join(folder, "damaged");
  await leaveOver(state, `rm -f '${flag}'`);
  const journal = join(state, "undo", "r1.jsonl");
  appendFileSync(journal, "no \u001b[31mrecord\n");
  const told = await clear(state, { dryRun: true });
  assert.match(told.text, /\n {2}damaged: line 5 of its journal cannot be read:\n {4}no \\x1b/);
  const { exitCode, text } = await clear(state);
  assert.equal(exitCode, 1);
  assert.match(text, /^run r1 of shop: not clean\n {2}undone: maintenance/);
  assert.match(text, /kept as .*undo\/r1\.damaged\n$/);
  assert.ok(!existsSync(flag));
  assert.match(readFileSync(join(state, "undo", "r1.damaged"), "utf8"), /\nno .*record\n/);
  assert.deepEqual(await clear(state), { exitCode: 0, text: "nothing is left over\n" });
});

test("what cannot be undone is named with its reason, and stays", async () => {
  const state = join(folder, "failing");
  await leaveOver(state, "echo no way >&2; exit 9");
  const { exitCode, text } = await clear(state);
  assert.equal(exitCode, 1);
  assert.match(text, /^run r1 of shop: not clean\n {2}failed: maintenance/);
  assert.match(text, /exit code 9: no way/);
  assert.equal((await clear(state)).exitCode, 1);
});
