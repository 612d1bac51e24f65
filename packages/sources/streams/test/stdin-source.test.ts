import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isComebackError, type Source } from "@comeback/core";
import { walkSource } from "@comeback/testkit";
import { commandSource, stdinSource } from "../src/index.ts";

const time = { seconds: 1_700_000_000, nanoseconds: 5 };

/** Reads the one file of a source. */
async function read(source: Source, signal = new AbortController().signal): Promise<string> {
  const { entries } = await walkSource(source);
  const file = [...entries.values()].at(-1)!;
  assert.ok(file.content?.kind === "stream");
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.content.open(signal)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test("one file at the top, with the time of the backup and this process's owner", async () => {
  const source = stdinSource({ time, open: async function* () {} });
  assert.deepEqual(source.paths, ["/stdin"]);
  const { entries } = await walkSource(source);
  assert.deepEqual([...entries.keys()], ["/stdin"]);
  const { metadata } = entries.get("/stdin")!;
  assert.deepEqual(metadata, {
    type: "file",
    mode: 0o100644,
    mtime: time,
    atime: time,
    ctime: time,
    uid: process.getuid!(),
    gid: process.getgid!(),
    user: "",
    group: "",
    inode: 0,
    deviceId: 0,
    sizeBytes: 0,
    links: 0,
  });
});

test("a file name may name folders, but not the top itself", async () => {
  const open = async function* () {};
  const source = stdinSource({ time, filename: "db//dumps/./a.sql", open });
  assert.deepEqual(source.paths, ["/db/dumps/a.sql"]);
  const { entries } = await walkSource(source);
  const modes = [...entries].map(([path, { metadata }]) => [path, metadata.mode]);
  assert.deepEqual(modes, [
    ["/db", 0o040755],
    ["/db/dumps", 0o040755],
    ["/db/dumps/a.sql", 0o100644],
  ]);
  for (const filename of ["", ".", "/", "a/.."]) {
    assert.throws(
      () => stdinSource({ time, filename, open }),
      (error) => isComebackError(error, "option.invalid"),
    );
  }
});

test("the bytes come through; none at all is an error", async () => {
  const open = async function* () {
    yield Buffer.from("one ");
    yield Buffer.alloc(0);
    yield Buffer.from("two");
  };
  assert.equal(await read(stdinSource({ time, open })), "one two");
  const empty = stdinSource({ time, open: async function* () {} });
  await assert.rejects(read(empty), (error) => isComebackError(error, "backup.no-source"));
});

test("a command's output, its arguments untouched by any shell", async () => {
  const command = [
    process.execPath,
    "-e",
    "process.stdout.write(process.argv[1])",
    "--",
    "$HOME *",
  ];
  assert.equal(await read(commandSource({ command, time })), "$HOME *");
});

test("a command that fails, cannot be run or says nothing makes the stream reject", async () => {
  const shell = (script: string): Source => commandSource({ command: ["sh", "-c", script], time });
  const failed = (why: string) => (error: unknown) =>
    isComebackError(error, "command.failed") && error.why === why;
  await assert.rejects(read(shell("echo half; exit 3")), failed("exit code 3"));
  await assert.rejects(read(shell("echo half; kill -9 $$")), failed("killed by SIGKILL"));
  await assert.rejects(read(shell("exit 1")), failed("exit code 1"));
  await assert.rejects(read(shell("true")), (error) => isComebackError(error, "backup.no-source"));
  await assert.rejects(read(commandSource({ command: ["/no/such"], time })), (error) =>
    isComebackError(error, "command.failed"),
  );
  for (const command of [[], [""]]) {
    assert.throws(
      () => commandSource({ command, time }),
      (error) => isComebackError(error, "option.invalid"),
    );
  }
});

test("what a command writes to standard error is handed on line by line", async () => {
  const lines: string[] = [];
  const source = commandSource({
    command: ["sh", "-c", "echo one >&2; echo out; printf 'two' >&2"],
    time,
    onErrorLine: (line) => lines.push(line),
  });
  assert.equal(await read(source), "out\n");
  assert.deepEqual(lines, ["one", "two"]);
});

test("a command is stopped when the backup is, also one that has children", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "comeback-streams-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const mark = join(folder, "ended");
  const abort = new AbortController();
  const source = commandSource({
    command: ["sh", "-c", `echo start; sleep 60; touch ${mark}`],
    time,
    // Otherwise the orphaned sleep would hold the test runner's own pipe.
    onErrorLine() {},
  });
  const { entries } = await walkSource(source);
  const { content } = entries.get("/stdin")!;
  assert.ok(content?.kind === "stream");
  await assert.rejects(async () => {
    for await (const chunk of content.open(abort.signal)) {
      assert.equal(Buffer.from(chunk).toString(), "start\n");
      abort.abort(new Error("stopped"));
    }
  }, /stopped/);
  assert.equal(existsSync(mark), false);
});

test("a command whose output nobody reads on is stopped", async () => {
  const source = commandSource({ command: ["yes"], time });
  const { entries } = await walkSource(source);
  const { content } = entries.get("/stdin")!;
  assert.ok(content?.kind === "stream");
  for await (const chunk of content.open(new AbortController().signal)) {
    assert.ok(chunk.length > 0);
    break;
  }
});
