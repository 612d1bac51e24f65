import assert from "node:assert/strict";
import { test } from "node:test";
import { chosenIntervalMs, ProgressTicker } from "../../src/terminal/progress-ticker.ts";
import { Terminal } from "../../src/terminal/terminal.ts";
import { RecordingStream } from "../recording-stream.ts";

const VIEW = {
  lines: () => ["the bar"],
  logLine: () => "a log line",
  message: () => ({ message_type: "status" }),
};

function tickerOn(options: { isTTY: boolean; json?: boolean; quiet?: boolean }) {
  const stdout = new RecordingStream(options);
  const stderr = new RecordingStream(options);
  const terminal = new Terminal({ stdout, stderr, env: {} });
  const { json = false, quiet = false } = options;
  return { stdout, stderr, ticker: new ProgressTicker({ terminal, json, quiet, env: {} }) };
}

test("a terminal gets a bar, a log a line every 30 seconds, a script a message every second", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const live = tickerOn({ isTTY: true });
  const log = tickerOn({ isTTY: false });
  const json = tickerOn({ isTTY: false, json: true });
  const quiet = tickerOn({ isTTY: true, quiet: true });
  for (const { ticker } of [live, log, json, quiet]) ticker.start(VIEW);
  t.mock.timers.tick(999);
  assert.match(live.stderr.text, /the bar/);
  assert.equal(json.stdout.text, "");
  t.mock.timers.tick(1);
  assert.equal(json.stdout.text, '{"message_type":"status"}\n');
  t.mock.timers.tick(28_999);
  assert.equal(log.stdout.text, "");
  t.mock.timers.tick(1);
  assert.equal(log.stdout.text, "a log line\n");
  assert.equal(quiet.stderr.text + quiet.stdout.text, "");
  for (const { ticker } of [live, log, json, quiet]) ticker.stop();
  assert.ok(live.stderr.text.endsWith("\u001b[?25h"));
});

test("RESTIC_PROGRESS_FPS sets the pace", () => {
  assert.equal(chosenIntervalMs({}), undefined);
  assert.equal(chosenIntervalMs({ RESTIC_PROGRESS_FPS: "0.5" }), 2000);
  assert.equal(chosenIntervalMs({ RESTIC_PROGRESS_FPS: "1000" }), 1000 / 60);
  assert.equal(chosenIntervalMs({ RESTIC_PROGRESS_FPS: "often" }), undefined);
  assert.equal(chosenIntervalMs({ COMEBACK_PROGRESS_FPS: "10", RESTIC_PROGRESS_FPS: "1" }), 100);
});
