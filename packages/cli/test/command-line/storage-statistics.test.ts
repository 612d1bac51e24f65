import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { runComeback, ScratchFolder } from "./run-comeback.ts";

const scratch = new ScratchFolder();
after(() => scratch[Symbol.dispose]());
const repository = scratch.at("repository");
const source = scratch.at("source");
const env = { COMEBACK_PASSWORD: "sesame", COMEBACK_REPOSITORY: repository };

before(() => {
  mkdirSync(source);
  writeFileSync(join(source, "file"), "content");
  const { exitCode, stderr } = runComeback(["init"], { env });
  assert.equal(exitCode, 0, stderr);
});

interface Counted {
  readonly calls: number;
  readonly errors: number;
  readonly bytes: number;
}

test("-vv tells on standard error what the storage was called for, a line a method", () => {
  const { exitCode, stdout, stderr } = runComeback(["backup", "-vv", source], { env });
  assert.equal(exitCode, 0, stderr);
  assert.match(stderr, /^calls of .*\/repository$/m);
  assert.match(stderr, /^Storage +calls +errors +bytes +median +most$/m);
  assert.match(stderr, /^save +[1-9]\d* +0 +\S+ \S+ +\d+ ms +\d+ ms$/m);
  for (const method of ["load", "list", "remove"]) {
    assert.match(stderr, new RegExp(`^${method} +\\d+ +0 `, "m"));
  }
  assert.doesNotMatch(stdout, /^calls of/m);
});

test("with --json it is one message; without -vv there is nothing of it", () => {
  const told = runComeback(["snapshots", "--json", "-vv"], { env });
  assert.equal(told.exitCode, 0, told.stderr);
  assert.ok(Array.isArray(JSON.parse(told.stdout)), "standard output is restic's one array");
  const message = JSON.parse(told.stderr) as {
    message_type: string;
    storages: Record<string, Counted>[];
  };
  assert.equal(message.message_type, "storage_statistics");
  assert.equal(message.storages.length, 1);
  const { location, save, load, remove } = message.storages[0] ?? {};
  assert.equal(location, repository);
  // Its lock comes and goes.
  assert.equal(save?.calls, 1);
  assert.equal(remove?.calls, 1);
  assert.ok(load !== undefined && load.bytes > 0 && load.errors === 0, JSON.stringify(load));
  for (const args of [["snapshots", "--json", "-v"], ["snapshots"]]) {
    const { stdout, stderr } = runComeback(args, { env });
    assert.equal(stderr, "");
    assert.doesNotMatch(stdout, /storage_statistics|calls of/);
  }
  const none = runComeback(["version", "-vv"], { env });
  assert.equal(none.stderr, "");
});

test("a command that fails tells it, too", () => {
  const { exitCode, stderr } = runComeback(["ls", "abcdef12", "-vv"], { env });
  assert.equal(exitCode, 1);
  assert.match(stderr, /^calls of [^]*^error: /m);
});
