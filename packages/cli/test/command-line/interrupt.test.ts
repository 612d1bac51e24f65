import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { makeQuickRepository } from "./quick-repository.ts";
import { runComeback, ScratchFolder, startComeback } from "./run-comeback.ts";

const scratch = new ScratchFolder();
after(() => scratch[Symbol.dispose]());
const repository = scratch.at("repository");
const source = scratch.at("source");
mkdirSync(source);
for (let i = 0; i < 40; i++) writeFileSync(`${source}/file-${i}`, `content ${i}\n`);
await makeQuickRepository(repository);

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(20);
}

const locks = (): string[] => readdirSync(`${repository}/locks`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`${signal} in the middle: exit code 130, no lock is left, the repository is whole`, async () => {
    const { child, ended } = startComeback(["-r", repository, "backup", "--stdin"]);
    // Standard input stays open: the backup cannot end by itself.
    child.stdin?.write(Buffer.alloc(3_000_000, "some data that is on its way\n"));
    await until(() => locks().length > 0);
    child.kill(signal);
    const { exitCode, stderr } = await ended;
    assert.equal(exitCode, 130, stderr);
    assert.match(stderr, /stopped before the end \[interrupted\]/);
    assert.deepEqual(locks(), []);
    assert.equal(runComeback(["-r", repository, "snapshots"]).stdout, "no snapshots\n");
    const check = runComeback(["-r", repository, "check", "--read-data"]);
    assert.equal(check.exitCode, 0, check.stderr);
  });
}

test("SIGHUP is restic's question whether a lock's process lives: it goes on", async () => {
  const { child, ended } = startComeback(["-r", repository, "backup", "--stdin"]);
  child.stdin?.write("some data\n");
  await until(() => locks().length > 0);
  child.kill("SIGHUP");
  await delay(100);
  child.stdin?.end();
  const { exitCode, stderr } = await ended;
  assert.equal(exitCode, 0, stderr);
  assert.deepEqual(locks(), []);
});

test("a reader that goes away ends a listing silently, and leaves no lock", async () => {
  assert.equal(runComeback(["-r", repository, "backup", source, "-q"]).exitCode, 0);
  const { child, ended } = startComeback(["-r", repository, "ls", "latest", "--json"]);
  child.stdout?.destroy();
  const { exitCode, stderr } = await ended;
  assert.equal(exitCode, 141);
  assert.equal(stderr, "");
  assert.deepEqual(locks(), []);
});

test("a password command that hangs is ended as well", async () => {
  const asked = scratch.at("asked");
  const command = `sh -c 'touch "${asked}"; exec sleep 600'`;
  const env = { COMEBACK_PASSWORD: "", COMEBACK_PASSWORD_COMMAND: command };
  const { child, ended } = startComeback(["-r", repository, "snapshots"], { env });
  await until(() => existsSync(asked));
  child.kill("SIGINT");
  const { exitCode } = await ended;
  assert.equal(exitCode, 130);
});
