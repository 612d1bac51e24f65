import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { runComeback, ScratchFolder } from "./run-comeback.ts";

const scratch = new ScratchFolder();
after(() => scratch[Symbol.dispose]());

test("a folder passes, and nothing of the test stays in it", () => {
  const folder = scratch.at("storage");
  mkdirSync(folder);
  writeFileSync(`${folder}/config`, "somebody's repository");
  const { exitCode, stdout, stderr } = runComeback(["backend", "test", "--no-speed", folder]);
  assert.equal(exitCode, 0, stderr);
  assert.match(stdout, /^testing in .*\/storage\/comeback-backend-test-[0-9a-f]{12}$/m);
  assert.match(stdout, /No repository is touched/);
  assert.match(stdout, /^of several that create one name at once, one wins +yes$/m);
  assert.match(stdout, /good for backups\n$/);
  const ownLines = stdout.split("\n").filter((line) => !line.startsWith("testing in "));
  for (const line of ownLines) assert.ok(line.length <= 80, line);
  assert.deepEqual(readdirSync(folder), ["config"]);
  assert.equal(statSync(`${folder}/config`).size, 21);
});

test("JSON says the same, of the place of --repo where none is named", () => {
  const folder = scratch.at("json");
  mkdirSync(folder);
  const { exitCode, stdout } = runComeback(["backend", "test", "--no-speed", "--json"], {
    env: { COMEBACK_REPOSITORY: `local:${folder}/` },
  });
  assert.equal(exitCode, 0);
  const result = JSON.parse(stdout) as Record<string, unknown>;
  assert.equal(result["message_type"], "backend_test");
  assert.equal(result["passed"], true);
  assert.equal(result["object_lock"], "no");
  assert.equal(result["archive"], false);
  assert.deepEqual(result["speed"], []);
  assert.deepEqual(result["left_behind"], []);
  const checks = result["checks"] as { name: string; outcome: string; vital: boolean }[];
  assert.equal(checks.length, 9);
  for (const { name, outcome } of checks) assert.equal(outcome, "passed", name);
  const latency = result["latency_ms"] as Record<string, { median: number; p95: number }>;
  assert.deepEqual(Object.keys(latency), ["save", "load", "stat", "remove"]);
  assert.deepEqual(readdirSync(folder), []);
});

test("what it cannot do is said", () => {
  const cases = [
    [["backend", "show", "/x"], /the action of `backend` cannot be "show"/],
    [["backend", "test", "/x", "/y"], /too many arguments/],
    [["backend", "test", "s9:/x"], /"s9:" is no kind of storage/],
    [["backend", "test", "-o", "local.x=secret", "/x"], /-o local.x is no setting of local/],
  ] as const;
  for (const [args, says] of cases) {
    const { exitCode, stderr } = runComeback([...args]);
    assert.equal(exitCode, 1);
    assert.match(stderr, says);
    assert.doesNotMatch(stderr, /secret/);
  }
});

test("a place that cannot be written is an error, not a finding", () => {
  const file = scratch.at("file");
  writeFileSync(file, "");
  chmodSync(file, 0o400);
  const { exitCode, stdout, stderr } = runComeback(["backend", "test", "--json", file]);
  assert.equal(exitCode, 10);
  assert.equal(stdout, "");
  assert.match(stderr, /exit_error/);
});
