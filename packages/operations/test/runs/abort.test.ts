import assert from "node:assert/strict";
import { test } from "node:test";
import { check } from "@comeback/engine";
import { runTasksInThisThread } from "@comeback/engine/internal";
import { SeededRandom } from "@comeback/testkit";
import { assertOutcome, RunWorld } from "./run-world.ts";

runTasksInThisThread(new SeededRandom(11));

/** Every second moment; the seed says which half. */
const SEED = Number(process.env["COMEBACK_TEST_SEED"] ?? 1);
/** Every so many of them, there were runs before and there is one after it. */
const BETWEEN_HISTORIES = 4;

function makeWorld(): Promise<RunWorld> {
  return RunWorld.make({
    sources: {
      db: { pins: true, hooks: [{ on: "start", command: "before" }] },
      content: { snapshot: "frozen" },
      logs: {},
    },
    to: ["nas", "usb"],
    keep: { last: 1 },
    copies: [{ from: "nas", to: "far" }],
    maintenance: {
      enter: [{ command: "flag up", undo: { command: "flag down" } }],
      sources: ["db", "logs"],
    },
    hooks: [{ on: "start", command: "start" }],
    notify: "ops",
  });
}

/** Runs it, and calls `at` at the n-th word; resolves to what it rejected with, or to its words. */
async function runTo(world: RunWorld, moment: number, at: () => void): Promise<unknown> {
  let words = 0;
  world.onEvent = () => {
    if (++words === moment) at();
  };
  try {
    await world.run();
    return words;
  } catch (error) {
    return error;
  } finally {
    world.onEvent = () => undefined;
  }
}

test("an abort at any word of a run leaves nothing behind, and the next one works", async () => {
  const words = await runTo(await makeWorld(), Infinity, () => undefined);
  assert.ok(typeof words === "number" && words > 60, String(words));
  let aborted = 0;
  for (let moment = 1 + (SEED % 2); moment <= words; moment += 2) {
    const world = await makeWorld();
    const hasHistory = (moment >> 1) % BETWEEN_HISTORIES === 0;
    if (hasHistory) assertOutcome(await world.run(), "ok");
    const where: string = `aborted at ${moment} of ${words}, seed ${SEED}`;
    const reason: Error = new Error(where);
    const outcome = await runTo(world, moment, () => world.abort.abort(reason));
    assert.deepEqual(await world.leftBehind(), [], where);
    const [run] = await world.catalog.listRuns({ limit: 1 });
    // One that came when all was done has changed nothing.
    const isDone = outcome !== reason;
    assert.equal(run?.outcome, isDone ? "ok" : "failed", where);
    if (!isDone) assert.match(run?.message ?? "", /aborted at/, where);
    if (!isDone) aborted++;
    if (hasHistory) await assertNextWorks(world.again(), where);
  }
  assert.ok(aborted >= words / 2 - 5, `${aborted} of ${words}`);
});

async function assertNextWorks(world: RunWorld, where: string): Promise<void> {
  const { run } = await world.run();
  assert.equal(run.outcome, "ok", `${where}: ${run.message}`);
  for (const name of ["nas", "usb", "far"]) {
    const snapshots = await world.snapshots(name);
    const own = snapshots.filter(({ tags = [] }) => tags.includes(`run:${run.id}`));
    assert.equal(own.length, 3, `${name}: ${where}`);
    await using repository = await world.openFor(name);
    const { problems } = await check({ repository, readData: { kind: "all" }, workers: 1 });
    assert.deepEqual(problems, [], where);
  }
}
