import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { maintenance } from "@comeback/operations";
import { enterMaintenance, leaveMaintenance } from "@comeback/operations/hooks";
import { markedCommandRunner, undoExecutor, UndoStack } from "@comeback/operations/undo";
import { systemCommandRunner } from "@comeback/platform";
import { hastyClock, scratchFolder } from "../undo/scratch.ts";

const folder = scratchFolder();
const log = join(folder, "log");
const services = {
  runner: markedCommandRunner(systemCommandRunner),
  fetch,
  resolveSecret: async () => "hidden",
  snapshotter: () => undefined,
};
const { signal } = new AbortController();
const write = (text: string): string => `echo ${text} >>'${log}'`;
const lines = (): string[] => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []);
let runs = 0;

async function newStack(): Promise<UndoStack> {
  const executor = undoExecutor(services);
  const runId = `m${++runs}`;
  return UndoStack.open({ stateFolder: folder, runId, plan: "p", executor, clock: hastyClock });
}

function entering(stack: UndoStack, settings: object) {
  const options = { services, signal, clock: hastyClock };
  return enterMaintenance(stack, maintenance.parse(settings), options);
}

test("what was entered is undone newest first, then what leave lists, in its order", async () => {
  await using stack = await newStack();
  const before = lines().length;
  const window = await entering(stack, {
    enter: [
      { command: write("on-a"), undo: { command: write("off-a") } },
      { command: write("on-b"), undo: { command: write("off-b") } },
      { command: write("only") },
    ],
    leave: [{ command: write("leave-1") }, { command: write("leave-2") }],
  });
  await leaveMaintenance(stack, window);
  const all = ["on-a", "on-b", "only", "off-b", "off-a", "leave-1", "leave-2"];
  assert.deepEqual(lines().slice(before), all);
  await stack.undoAll();
  assert.deepEqual(lines().slice(before), all, "once");
});

test("an action that fails undoes what was entered before it, and itself", async () => {
  await using stack = await newStack();
  const before = lines().length;
  const work = entering(stack, {
    enter: [
      { command: write("on-a"), undo: { command: write("off-a") } },
      { command: `${write("half")}; exit 4`, undo: { command: write("off-half") } },
    ],
    leave: [{ command: write("leave") }],
  });
  await assert.rejects(work, { code: "command.failed", why: "exit code 4" });
  assert.deepEqual(lines().slice(before), ["on-a", "half", "off-half", "off-a", "leave"]);
});

test("an undo gets its secrets in its environment, and the journal only where they are", async () => {
  await using stack = await newStack();
  const before = lines().length;
  await entering(stack, {
    enter: [
      {
        command: "true",
        environment: { TOKEN: { file: "/where/it/is" } },
        undo: { command: `echo $TOKEN >>'${log}'` },
      },
    ],
  });
  const journal = readFileSync(join(folder, "undo", `m${runs}.jsonl`), "utf8");
  assert.match(journal, /"TOKEN":\{"file":"\/where\/it\/is"\}/);
  assert.doesNotMatch(journal, /hidden/);
  await stack.undoAll();
  assert.deepEqual(lines().slice(before), ["hidden"]);
});

test("a pause cannot end a maintenance", async () => {
  await using stack = await newStack();
  const leave = [{ container: { pause: "web", engine: "podman" } }];
  await assert.rejects(entering(stack, { leave }), { code: "configuration.invalid" });
});
