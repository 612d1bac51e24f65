import assert from "node:assert/strict";
import { test } from "node:test";
import { PLAIN } from "../../src/terminal/palette.ts";
import { Terminal } from "../../src/terminal/terminal.ts";
import { RecordingStream } from "../recording-stream.ts";

function terminalOn(isTTY: boolean, env: NodeJS.ProcessEnv = {}, columns = 40) {
  const stdout = new RecordingStream({ isTTY, columns });
  const stderr = new RecordingStream({ isTTY, columns });
  return { stdout, stderr, terminal: new Terminal({ stdout, stderr, env }) };
}

test("status lines are drawn in place, cut to the width, and erased at the end", () => {
  const { stderr, terminal } = terminalOn(true);
  terminal.showStatus(["first", "x".repeat(60)]);
  assert.equal(stderr.text, `\u001b[?25l\rfirst\u001b[K\n${"x".repeat(37)}\u001b[J`);
  stderr.clear();
  terminal.showStatus(["again", "second"]);
  assert.equal(stderr.text, "\r\u001b[1Aagain\u001b[K\nsecond\u001b[J");
  stderr.clear();
  terminal.clearStatus();
  assert.equal(stderr.text, "\r\u001b[1A\u001b[J\u001b[?25h");
});

test("what is printed appears above the status lines, which are drawn again", () => {
  const { stdout, stderr, terminal } = terminalOn(true);
  terminal.showStatus(["bar"]);
  stderr.clear();
  terminal.print("a result");
  assert.equal(stdout.text, "a result\n");
  assert.equal(stderr.text, "\r\u001b[J\rbar\u001b[J");
});

test("without a terminal nothing is drawn and nothing is coloured", () => {
  const { stdout, stderr, terminal } = terminalOn(false);
  terminal.showStatus(["bar"]);
  terminal.print("a result");
  terminal.printError("a problem");
  terminal.clearStatus();
  assert.equal(stdout.text, "a result\n");
  assert.equal(stderr.text, "a problem\n");
  assert.equal(terminal.palette, PLAIN);
  assert.equal(terminal.isLive, false);
});

test("NO_COLOR takes the colours, TERM=dumb the drawing too", () => {
  assert.equal(terminalOn(true, { NO_COLOR: "1" }).terminal.palette, PLAIN);
  assert.equal(
    terminalOn(true, { NO_COLOR: "" }).terminal.palette.red("x"),
    "\u001b[31mx\u001b[39m",
  );
  const dumb = terminalOn(true, { TERM: "dumb" }).terminal;
  assert.equal(dumb.palette, PLAIN);
  assert.equal(dumb.isLive, false);
});

test("the bar is on stdout where stderr goes into a file", () => {
  const stdout = new RecordingStream({ isTTY: true, columns: 40 });
  const stderr = new RecordingStream({ isTTY: false });
  const terminal = new Terminal({ stdout, stderr, env: {} });
  terminal.showStatus(["bar"]);
  assert.match(stdout.text, /bar/);
  assert.equal(stderr.text, "");
});
