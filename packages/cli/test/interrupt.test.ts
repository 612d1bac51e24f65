import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { isComebackError } from "@comeback/core";
import { Interrupt } from "../src/interrupt.ts";
import { Terminal } from "../src/terminal/terminal.ts";
import { RecordingStream } from "./recording-stream.ts";

class FakeProcess extends EventEmitter {
  exitCode: number | undefined;

  exit(code: number): void {
    this.exitCode = code;
  }
}

test("the first signal aborts, the second one ends the process", () => {
  const stream = new RecordingStream({ isTTY: false });
  const terminal = new Terminal({ stdout: stream, stderr: stream, env: {} });
  const emitter = new FakeProcess();
  const interrupt = new Interrupt(terminal, emitter);
  emitter.emit("SIGTERM", "SIGTERM");
  assert.ok(interrupt.signal.aborted);
  assert.ok(isComebackError(interrupt.signal.reason, "interrupted"));
  assert.equal(interrupt.signal.reason.exitCode, 130);
  assert.match(interrupt.signal.reason.why ?? "", /SIGTERM/);
  assert.equal(emitter.exitCode, undefined);
  emitter.emit("SIGINT", "SIGINT");
  assert.equal(emitter.exitCode, 130);
  interrupt[Symbol.dispose]();
  assert.equal(emitter.listenerCount("SIGINT"), 0);
});
