import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { makeQuickRepository } from "./quick-repository.ts";
import { jsonLines, type Outcome, runComeback, ScratchFolder } from "./run-comeback.ts";

test("a check remembers what it read, and reads the rest later", async () => {
  using scratch = new ScratchFolder();
  const repository = scratch.at("repository");
  await makeQuickRepository(repository);
  writeFileSync(scratch.at("file"), "content");
  const state = scratch.at("state");
  const run = (...args: string[]): Outcome =>
    runComeback(["-r", repository, ...args], { env: { XDG_STATE_HOME: state } });
  assert.equal(run("backup", scratch.at("file")).exitCode, 0);
  const check = (...args: string[]): Record<string, unknown> => {
    const { exitCode, stdout, stderr } = run("check", "--json", ...args);
    assert.equal(exitCode, 0, stderr);
    return (jsonLines(stdout)[0]?.["coverage"] ?? {}) as Record<string, unknown>;
  };
  assert.deepEqual(check(), {}, "only where it is asked for");
  assert.equal(check("--with-memory")["verified_packs"], 1, "the trees are read every time");
  assert.equal(check("--read-data-every", "30d")["recent_packs"], 2);
  const path = `${state}/comeback/check/${readdirSync(`${state}/comeback/check`)[0]}`;
  assert.match(readFileSync(path, "utf8"), /^\{"format":1,/);
  assert.equal(check("--with-memory")["verified_packs"], 2);

  writeFileSync(path, "damaged");
  const warned = run("check", "--with-memory");
  assert.equal(warned.exitCode, 0);
  assert.match(warned.stderr, /^warning: the check's memory in .* cannot be read/);
  assert.match(warned.stdout, /read on this machine so far: 1 of 2 packs/);

  for (const args of [
    ["--read-data-every", "monthly"],
    ["--read-data-every", "30d", "--read-data"],
    ["--read-data-every", "30d", "--read-data-subset", "1/2"],
  ]) {
    const refused = run("check", ...args);
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, /option\.invalid/);
  }
});
