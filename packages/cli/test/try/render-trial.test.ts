import assert from "node:assert/strict";
import { test } from "node:test";
import { displayWidth } from "../../src/terminal/display-width.ts";
import { PLAIN } from "../../src/terminal/palette.ts";
import {
  renderTrialHead,
  renderTrialStep,
  renderVerdict,
  trialMessage,
  type TrialStep,
} from "../../src/try/render-trial.ts";

const MiB = 1024 * 1024;
const GOOD: TrialStep = {
  what: "2,438 files, 98.7 MiB backed up as 28.5 MiB",
  outcome: "ok",
  elapsedMs: 1_200,
  bytes: 98.7 * MiB,
  details: [],
};
const BAD: TrialStep = {
  what: "a sentence that is by far too long for the column that it has to stand in",
  outcome: "failed",
  elapsedMs: 754_000,
  bytes: 1,
  details: Array.from({ length: 14 }, (_, number) => `detail ${number}`),
};

test("the table has 80 columns, whatever it has to say", () => {
  const lines = [
    ...renderTrialHead(PLAIN),
    ...renderTrialStep(GOOD, PLAIN),
    ...renderTrialStep(BAD, PLAIN),
  ];
  for (const line of lines) assert.ok(displayWidth(line) <= 80, line);
  assert.deepEqual(lines.slice(0, 3), [
    "what was proven                                   result       time        speed",
    "-".repeat(80),
    "2,438 files, 98.7 MiB backed up as 28.5 MiB       ok          1.2 s   82.3 MiB/s",
  ]);
  assert.match(lines[3]!, /FAILED {2}12:34 min/);
  assert.equal(lines.at(-1), "    and 4 more");
});

test("the verdict is as bad as the worst step", () => {
  const verdict = (...steps: TrialStep[]): string => renderVerdict(steps, 5_000, PLAIN)[1] ?? "";
  const skipped = { ...GOOD, outcome: "skipped" as const };
  const partly = { ...GOOD, outcome: "partly" as const };
  assert.match(verdict(GOOD, skipped), /^Everything came back\./);
  assert.match(verdict(GOOD, partly), /^What could be read came back/);
  assert.match(verdict(GOOD, partly, BAD), /^Not everything came back/);
  assert.match(renderTrialStep(skipped, PLAIN)[0]!, / {2}-\s+/);
});

test("a script gets the steps as JSON", () => {
  const message = JSON.parse(trialMessage([GOOD, BAD], 5_000)) as Record<string, unknown>;
  assert.equal(message["ok"], false);
  assert.equal((message["steps"] as unknown[]).length, 2);
});
