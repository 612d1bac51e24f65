import assert from "node:assert/strict";
import { test } from "node:test";
import { ComebackError } from "@comeback/core";
import { RetryMessages } from "../../src/opening/retry-messages.ts";
import { resolveGlobalOptions } from "../../src/options/global-options.ts";
import { Terminal } from "../../src/terminal/terminal.ts";
import { RecordingStream } from "../recording-stream.ts";

const error = new ComebackError("backend.unreachable", "no answer", { why: "timed out\u001b[2J" });

function newMessages(flags: Record<string, unknown>): {
  messages: RetryMessages;
  said(): string[];
} {
  const stderr = new RecordingStream({ isTTY: false });
  const terminal = new Terminal({ stdout: stderr, stderr, env: {} });
  const messages = new RetryMessages({ globals: resolveGlobalOptions(flags, {}), terminal });
  return { messages, said: () => stderr.text.split("\n").filter((line) => line !== "") };
}

/** Two calls fail, one of them twice; both work in the end. */
function playOutage(messages: RetryMessages): void {
  const notice = { error, pauseMs: 1234, totalMaxMs: 900_000 };
  messages.onRetry({ ...notice, doing: "saving pack a", failures: 1 });
  messages.onRetry({ ...notice, doing: "saving pack b", failures: 1 });
  messages.onRetry({ ...notice, doing: "saving pack a", failures: 2 });
  messages.onRecovered("saving pack b", 1);
  messages.onRecovered("saving pack a", 2);
}

test("an outage is told when it begins and when it is over", () => {
  const { messages, said } = newMessages({});
  playOutage(messages);
  assert.deepEqual(said(), [
    "storage: saving pack a failed, trying again for up to 15 minutes: no answer: timed out\\x1b[2J",
    "storage: it works again",
  ]);
  playOutage(messages);
  assert.equal(said().length, 4);
});

test("what was given up does not work again", () => {
  const { messages, said } = newMessages({});
  messages.onRetry({ error, pauseMs: 1, totalMaxMs: 120_000, doing: "saving pack a", failures: 1 });
  messages.onGivenUp();
  assert.equal(said().length, 1);
  playOutage(messages);
  assert.equal(said().length, 3);
});

test("-v tells every failure; --quiet and --json none", () => {
  const verbose = newMessages({ verbose: 1 });
  playOutage(verbose.messages);
  assert.equal(verbose.said().length, 5);
  assert.match(verbose.said()[2] ?? "", /^storage: saving pack a failed \(2\), again in 1\.2 s: /);
  for (const flags of [{ quiet: true }, { json: true }]) {
    const silent = newMessages(flags);
    playOutage(silent.messages);
    assert.deepEqual(silent.said(), []);
  }
});
