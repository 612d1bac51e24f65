import assert from "node:assert/strict";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
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
  for (const args of [["init"], ["backup", source]]) {
    const { exitCode, stderr } = runComeback(args, { env });
    assert.equal(exitCode, 0, stderr);
  }
});

/** Names and times of all that is there. */
function inventory(): string[] {
  return readdirSync(repository, { recursive: true })
    .map((name) => `${String(name)} ${statSync(join(repository, String(name))).mtimeMs}`)
    .toSorted();
}

test("with --read-only what only reads works without a lock, and nothing is written", () => {
  const untouched = inventory();
  const target = scratch.at("target");
  const readers = [
    ["snapshots"],
    ["ls", "latest"],
    ["check", "--read-data"],
    ["restore", "latest", "--target", target],
    ["backup", "--dry-run", source],
    ["forget", "--keep-last", "1", "--dry-run"],
  ];
  for (const args of readers) {
    const { exitCode, stderr } = runComeback([...args, "--read-only"], { env });
    assert.equal(exitCode, 0, `${args.join(" ")}: ${stderr}`);
  }
  assert.deepEqual(inventory(), untouched);
});

test("every write is refused before it reaches the storage", () => {
  const untouched = inventory();
  const writers = [
    ["backup", "--force", source],
    ["forget", "latest"],
    ["tag", "--add", "x", "latest"],
    ["prune"],
    ["repair", "index"],
    ["migrate", "upgrade_repo_v2"],
    ["backend", "test", repository],
  ];
  for (const args of writers) {
    const { exitCode, stderr } = runComeback([...args, "--read-only"], { env });
    assert.equal(exitCode, 1, `${args.join(" ")}: ${stderr}`);
    assert.match(stderr, /\[backend.read-only\]/, args.join(" "));
    assert.match(stderr, /leave --read-only out/, args.join(" "));
  }
  const elsewhere = scratch.at("elsewhere");
  const made = runComeback(["-r", elsewhere, "init", "--read-only"], { env });
  assert.match(made.stderr, /\[backend.read-only\]/);
  assert.equal(readdirSync(scratch.at(".")).includes("elsewhere"), false);
  assert.deepEqual(inventory(), untouched);
});
