import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { makeQuickRepository } from "./quick-repository.ts";
import { PASSWORD, runComeback, ScratchFolder } from "./run-comeback.ts";

const scratch = new ScratchFolder();
after(() => scratch[Symbol.dispose]());
const here = scratch.at("here");
const source = scratch.at("source");
const key = scratch.at("key");
for (const folder of [here, source]) mkdirSync(folder);
writeFileSync(`${source}/file`, "content\n");
writeFileSync(key, `${PASSWORD}\n`, { mode: 0o600 });
for (const name of ["first", "second"]) await makeQuickRepository(scratch.at(name));

function at(name: string, passwordFile: string): object {
  return { repo: scratch.at(name), password: { file: passwordFile } };
}

test("every other repository of a command may be a destination, with its own password", async () => {
  const other = scratch.at("other-key");
  writeFileSync(other, "another\n", { mode: 0o600 });
  const destinations = {
    ...Object.fromEntries(["first", "second"].map((name) => [name, at(name, key)])),
    ...Object.fromEntries(["from", "also"].map((name) => [name, at(name, other)])),
  };
  const config = scratch.at("comeback.yaml");
  writeFileSync(config, JSON.stringify({ destinations, plans: {} }), { mode: 0o600 });
  const named = { cwd: here, env: { COMEBACK_PASSWORD: "", COMEBACK_CONFIG: config } };
  for (const name of ["from", "also"]) {
    const init = ["-r", name, "init", "--copy-chunker-params", "--from-repo", "first"];
    const made = runComeback(init, named);
    assert.equal(made.exitCode, 0, made.stderr);
  }
  const backup = runComeback(["-r", "from", "backup", source, "--also-to", "also"], named);
  assert.equal(backup.exitCode, 0, backup.stderr);
  const copy = runComeback(["-r", "second", "copy", "--from-repo", "from"], named);
  assert.equal(copy.exitCode, 0, copy.stderr);
  // Only the flag for the other one changes its password.
  const wrong = ["-r", "second", "copy", "--from-repo", "from", "--from-password-file", key];
  assert.equal(runComeback(wrong, named).exitCode, 12);
  const shared = ["-r", "from", "-p", other, "backup", source, "--also-to", "second"];
  assert.equal(runComeback(shared, named).exitCode, 0);
  for (const [name, count] of [
    ["from", 2],
    ["also", 1],
    ["second", 2],
  ] as const) {
    const listed = runComeback(["-r", name, "snapshots", "--json"], named);
    assert.equal((JSON.parse(listed.stdout) as unknown[]).length, count, name + listed.stderr);
  }
  const twice = ["-r", "first", "backup", source, "--also-to", scratch.at("first")];
  assert.match(runComeback(twice, named).stderr, /is named twice/);
  const typo = runComeback(["-r", "first", "backup", source, "--also-to", "alos"], named);
  assert.equal(typo.exitCode, 1, typo.stderr);
  assert.match(typo.stderr, /did you mean "also"\?/);
  mkdirSync(`${here}/from`);
  const both = runComeback(["-r", "second", "copy", "--from-repo", "from"], named);
  assert.match(both.stderr, /and a folder here[^]*write \.\/from for/);
});
