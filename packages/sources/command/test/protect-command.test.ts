import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type ErrorCode, isComebackError, type PinnedSource } from "@comeback/core";
import { systemCommandRunner as runner } from "@comeback/platform";
import { protectedSourceConformance, readSource } from "@comeback/testkit";
import { type CommandOptions, protectCommand } from "../src/index.ts";

/** Processes whose command line names this. */
function running(text: string): number {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(text);
    } catch {
      return false;
    }
  }).length;
}

protectedSourceConformance("command", async () => {
  const folder = mkdtempSync(join(tmpdir(), "comeback-command-"));
  const data = join(folder, "data");
  const script = join(folder, "dump");
  writeFileSync(data, "one\n");
  writeFileSync(script, `#!/bin/sh\ncat ${data}\necho noise >&2\n`, { mode: 0o755 });
  return {
    source: protectCommand({ argv: [script], filename: "/db/dump.sql", runner }),
    world: async () => execFileSync("find", [folder, "-printf", "%p %T@ %s\n"]).toString(),
    change: async () => writeFileSync(data, "two\n"),
    removeAll: async () => rmSync(script),
    held: async () => running(folder),
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }),
  };
});

const { signal } = new AbortController();

function shell(script: string, more: Partial<CommandOptions> = {}): CommandOptions {
  return { argv: ["/bin/sh", "-c", script], filename: "dump", runner, ...more };
}

function pin(options: CommandOptions, lines: string[] = []): Promise<PinnedSource> {
  const time = { seconds: 1_790_000_000, nanoseconds: 0 };
  return protectCommand(options).pin({ time, signal, onLine: (line) => lines.push(line) });
}

async function dumpOf(options: CommandOptions, lines: string[] = []): Promise<string> {
  await using pinned = await pin(options, lines);
  return (await readSource(pinned.source)).contents.get("/dump")!.toString();
}

async function failsWith(options: CommandOptions, code: ErrorCode, why: RegExp): Promise<void> {
  await assert.rejects(dumpOf(options), (error) => {
    assert.ok(isComebackError(error, code), String(error));
    assert.match(error.why ?? "", why);
    return true;
  });
}

test("its environment is asked for before each run, and what it says is handed on", async () => {
  const lines: string[] = [];
  let asked = 0;
  const options = shell('echo "$SECRET"; echo saying >&2', {
    environment: async () => ({ SECRET: `secret ${++asked}` }),
  });
  assert.equal(await dumpOf(options, lines), "secret 1\n");
  assert.equal(await dumpOf(options, lines), "secret 2\n");
  assert.deepEqual(lines, ["saying", "saying"]);
});

test("a dump that ends with an error is none, however much of it came", async () => {
  const script = "head -c 50000000 /dev/zero; echo lost the connection >&2; exit 3";
  await failsWith(shell(script), "command.failed", /^exit code 3: lost the connection$/);
  await failsWith(shell("echo half; kill -9 $$"), "command.failed", /ended by SIGKILL/);
});

test("no output is an error, a program that is not there another", async () => {
  await failsWith(shell("exit 0"), "backup.no-source", /before the first byte/);
  await failsWith({ ...shell(""), argv: ["/no/such"] }, "command.missing", /no such program/);
});

test("other exit codes than 0 may mean that all went well, and 0 that it did not", async () => {
  const options = { exitCodes: [1, 24] };
  assert.equal(await dumpOf(shell("echo data; exit 24", options)), "data\n");
  await failsWith(shell("echo data; exit 2", options), "command.failed", /exit code 2/);
  await failsWith(shell("echo data", options), "command.failed", /exit code 0, where 1 or 24/);
});

test("a command that takes too long is ended, also where it then says that all went well", async () => {
  const script = "trap 'exit 0' TERM; echo data; while :; do sleep 0.01; done";
  const options = shell(script, { timeoutMs: 100, exitCodes: [0, 143] });
  await assert.rejects(dumpOf(options), (error) => isComebackError(error, "command.timeout"));
});

test("a probe finds the program, or the first word of a line for the shell", async () => {
  const stateOf = async (options: CommandOptions): Promise<string | undefined> =>
    (await protectCommand(options).probe({ signal }))[0]?.state;
  assert.equal(await stateOf(shell("cat /etc/passwd | sort")), "passed");
  assert.equal(await stateOf(shell("no-such-program --all")), "failed");
  assert.equal(await stateOf(shell('"$PROGRAM" --all')), "unknown");
  assert.equal(await stateOf({ ...shell(""), argv: ["cat", "x"] }), "passed");
  assert.equal(await stateOf({ ...shell(""), argv: ["/no/such"] }), "failed");
});

test("a file name that is none is refused", () => {
  for (const filename of ["/", ".", "a/.."]) {
    assert.throws(
      () => protectCommand(shell("true", { filename })),
      (error) => isComebackError(error, "configuration.invalid"),
    );
  }
});
