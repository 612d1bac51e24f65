import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { makeQuickRepository } from "./quick-repository.ts";
import { type Outcome, runComeback, type RunOptions, ScratchFolder } from "./run-comeback.ts";

const scratch = new ScratchFolder();
after(() => scratch[Symbol.dispose]());
const repository = scratch.at("repository");
await makeQuickRepository(repository);

function run(args: readonly string[], options: RunOptions = {}): Outcome {
  return runComeback(["-r", repository, ...args], options);
}

test("standard input becomes a file", () => {
  const saved = run(["backup", "--stdin", "--stdin-filename", "dumps/shop.sql"], {
    input: "select 1;\n",
  });
  assert.equal(saved.exitCode, 0, saved.stderr);
  const target = scratch.at("a");
  assert.equal(run(["restore", "latest", "-t", target]).exitCode, 0);
  assert.equal(readFileSync(`${target}/dumps/shop.sql`, "utf8"), "select 1;\n");
});

test("a command's output becomes a file, its complaints are passed on", () => {
  const words = ["sh", "-c", "echo complaint >&2; echo output"];
  const saved = run(["backup", "--stdin-from-command", "--", ...words]);
  assert.equal(saved.exitCode, 0, saved.stderr);
  assert.match(saved.stderr, /^complaint$/m);
  const target = scratch.at("b");
  assert.equal(run(["restore", "latest", "-t", target]).exitCode, 0);
  assert.equal(readFileSync(`${target}/stdin`, "utf8"), "output\n");
});

test("half a dump is no backup: a command that fails makes no snapshot", () => {
  const before = run(["snapshots"]).stdout;
  const failed = run(["backup", "--stdin-from-command", "--", "sh", "-c", "echo half; exit 3"]);
  assert.equal(failed.exitCode, 1);
  assert.match(failed.stderr, /sh failed \[command\.failed\][^]*exit code 3/);
  const empty = run(["backup", "--stdin"], { input: "" });
  assert.equal(empty.exitCode, 1);
  assert.match(empty.stderr, /gave no data/);
  assert.equal(run(["snapshots"]).stdout, before);
});

test("standard input has one meaning at a time", () => {
  const cases = [
    [["backup", "--stdin", "folder"], /--stdin was given, and paths as well/],
    [["backup", "--stdin", "--files-from", "list"], /do not go together/],
  ] as const;
  for (const [args, says] of cases) {
    const { exitCode, stderr } = run(args);
    assert.equal(exitCode, 1);
    assert.match(stderr, says);
  }
  const env = { COMEBACK_PASSWORD: "" };
  const { exitCode, stderr } = run(["backup", "--stdin"], { env, input: "data" });
  assert.equal(exitCode, 1);
  assert.match(stderr, /the password and the data cannot both come from stdin/);
});
