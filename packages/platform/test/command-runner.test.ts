import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type CommandRequest, ComebackError, isComebackError } from "@comeback/core";
import { systemCommandRunner } from "../src/command-runner.ts";

const { run, stream } = systemCommandRunner;
const { signal } = new AbortController();

function shell(script: string, more: Partial<CommandRequest> = {}): CommandRequest {
  return { argv: ["/bin/sh", "-c", script], signal, ...more };
}

async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  return Buffer.concat(await Array.fromAsync(chunks)).toString("utf8");
}

/** Whether it still runs; what has ended may wait for its parent to notice. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

test("a program's output, its exit code and its last words", async () => {
  const lines: string[] = [];
  const result = await run(
    shell("cat; echo; echo one >&2; echo two >&2; exit 7", {
      input: "given",
      onLine: (line, from) => lines.push(`${from}: ${line}`),
    }),
  );
  assert.deepEqual(result, {
    exitCode: 7,
    endedBy: null,
    hasTimedOut: false,
    stdout: "given\n",
    lastWords: "one / two",
  });
  assert.deepEqual(lines.toSorted(), ["stderr: one", "stderr: two", "stdout: given"]);
});

test("a program that is not there", async () => {
  await assert.rejects(run({ argv: ["/no/such/program"], signal }), (error) =>
    isComebackError(error, "command.missing"),
  );
});

test("no program sees a password that it was not given", async () => {
  process.env["COMEBACK_PASSWORD"] = "hidden";
  try {
    const { stdout } = await run(shell("env", { env: { GIVEN: "seen" } }));
    assert.ok(stdout.includes("GIVEN=seen"));
    assert.ok(!stdout.includes("hidden"), "the password is in its environment");
  } finally {
    delete process.env["COMEBACK_PASSWORD"];
  }
});

test("at its time limit the program goes, and with it what it started", async () => {
  const pids: number[] = [];
  const result = await run(
    shell("sleep 1000 & echo $! >&2; wait", {
      timeoutMs: 200,
      onLine: (line) => pids.push(Number(line)),
    }),
  );
  assert.equal(result.hasTimedOut, true);
  assert.equal(result.endedBy, "SIGTERM");
  assert.deepEqual(pids.map(isAlive), [false]);
});

test("an abort ends the program and rejects with its reason", async () => {
  const stop = new AbortController();
  const reason = new ComebackError("interrupted", "stopped by the test");
  const started = run(
    shell("echo here >&2; sleep 1000", {
      signal: stop.signal,
      onLine: () => stop.abort(reason),
    }),
  );
  await assert.rejects(started, reason);
});

test("a stream ends only where the program ended well", async () => {
  assert.equal(await readAll(stream(shell("printf data"))), "data");
  await assert.rejects(readAll(stream(shell("printf data; echo broken >&2; exit 3"))), (error) => {
    assert.ok(isComebackError(error, "command.failed"));
    assert.equal(error.why, "exit code 3: broken");
    return true;
  });
});

test("whoever reads no further stops the program", async () => {
  let pid = 0;
  for await (const chunk of stream(shell("echo $$; exec sleep 1000"))) {
    pid = Number(Buffer.from(chunk).toString());
    break;
  }
  assert.ok(pid > 0);
  assert.equal(isAlive(pid), false);
});

test("a program may read a stream, and one that ends before it is read is no failure", async () => {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < 100; i++) yield Buffer.alloc(10_000, "x");
  }
  const { stdout } = await run(shell("wc -c", { input: chunks() }));
  assert.equal(stdout.trim(), "1000000");
  const { exitCode } = await run(shell("head -c 1 > /dev/null; exit 4", { input: chunks() }));
  assert.equal(exitCode, 4);
});

test("where the input fails, the program is stopped before it takes that for the end", async () => {
  const reason = new Error("the dump is damaged");
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("half");
    throw reason;
  }
  const script = "cat > /dev/null && echo whole";
  await assert.rejects(run(shell(script, { input: chunks() })), reason);
  await assert.rejects(readAll(stream(shell(script, { input: chunks() }))), reason);
});

test("a stream whose time was over has not ended well, even with exit code 0", async () => {
  const script = "trap 'exit 0' TERM; printf half; while :; do sleep 0.01; done";
  await assert.rejects(readAll(stream(shell(script, { timeoutMs: 100 }))), (error) =>
    isComebackError(error, "command.timeout"),
  );
});
