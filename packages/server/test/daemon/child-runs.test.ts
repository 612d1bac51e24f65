import assert from "node:assert/strict";
import { test } from "node:test";
import { isComebackError } from "@comeback/core";
import { ChildRuns, runArguments } from "../../src/daemon/child-runs.ts";
import type { StartRequest } from "../../src/scheduler/scheduler.ts";

const REQUEST: StartRequest = {
  plan: "shop",
  job: { kind: "backup" },
  type: "full",
  trigger: "schedule",
  scheduledForMs: 1_700_000_000_000,
};

/** A program instead of `comeback`, and what it said. */
function childRuns(script: string): { runs: ChildRuns; lines: string[]; line: Promise<string> } {
  const lines: string[] = [];
  const first = Promise.withResolvers<string>();
  const runs = new ChildRuns({
    command: ["/bin/sh", "-c", script, "sh"],
    env: { PATH: process.env["PATH"] },
    onLine: (_, line) => {
      lines.push(line);
      first.resolve(line);
    },
  });
  return { runs, lines, line: first.promise };
}

test("what a run is called with", () => {
  assert.equal(
    runArguments(REQUEST).join(" "),
    "run shop --trigger schedule --scheduled-for 1700000000000 --type full --json",
  );
  const copy = {
    ...REQUEST,
    type: undefined,
    job: { kind: "copy", from: "nas", to: "cloud" },
  } as const;
  assert.equal(
    runArguments(copy).join(" "),
    "run shop --trigger schedule --scheduled-for 1700000000000 --copies cloud --json",
  );
});

test("what comes of a run", async () => {
  const cases = [
    ['echo "$*" >&2; exit 0', { outcome: "ok" }],
    ["exit 75", { outcome: "skipped", message: "exit code 75" }],
    ["exit 3", { outcome: "warning", message: "exit code 3" }],
    [
      "echo the disk is full >&2; exit 1",
      { outcome: "failed", message: "exit code 1: the disk is full" },
    ],
    ["kill -9 $$", { outcome: "failed", message: "it was ended by SIGKILL" }],
  ] as const;
  for (const [script, expected] of cases) {
    const { runs, lines } = childRuns(script);
    const run = await runs.start(REQUEST);
    assert.deepEqual(await run.ended, expected, script);
    if (script.startsWith('echo "$*"')) assert.deepEqual(lines, [runArguments(REQUEST).join(" ")]);
  }
});

test("a run is asked to end, and one that does not is ended, with all that it started", async () => {
  const asked = childRuns("trap 'exit 130' TERM; echo up >&2; while :; do sleep 0.05; done");
  const first = await asked.runs.start(REQUEST);
  await asked.line;
  asked.runs.signalAll("SIGTERM");
  assert.equal((await first.ended).message, "exit code 130: up");

  const deaf = childRuns("trap '' TERM; sleep 1000 & echo $! >&2; wait");
  const second = await deaf.runs.start(REQUEST);
  await deaf.line;
  deaf.runs.signalAll("SIGTERM");
  deaf.runs.signalAll("SIGKILL");
  // Told only once nobody has its standard error open any more, what it started included.
  assert.equal((await second.ended).message, "it was ended by SIGKILL");
});

test("a program that is not there", async () => {
  const runs = new ChildRuns({ command: ["/no/such/comeback"], env: {}, onLine: () => {} });
  await assert.rejects(runs.start(REQUEST), (error: unknown) =>
    isComebackError(error, "command.missing"),
  );
});
