import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { type ComebackError, isComebackError, LOCK_ABANDONED_MS } from "@comeback/core";
import { type LockFile, type Repository, RepositoryLock, unlock } from "@comeback/engine";
import { systemClock } from "@comeback/platform";
import { Client } from "../../drivers/client.ts";
import { type Finished, type Running, startProgram } from "../../drivers/run-program.ts";
import { memoryFolder } from "../../drivers/scratch.ts";
import { COMEBACK, RESTICS, type Tool } from "../../drivers/tools.ts";
import { waitUntil } from "../../drivers/wait-until.ts";
import { initCheaply, openRepository } from "./open-repository.ts";

/** Our locks hold off a running restic, and a running restic's hold off us. */
const location = join(memoryFolder("locks"), "repository");

before(() => initCheaply(location, 2));

/** Complete ones: restic writes under another name first. */
const lockFiles = (): string[] =>
  readdirSync(join(location, "locks")).filter((name) => name.length === 64);

async function acquire(repository: Repository, exclusive: boolean): Promise<RepositoryLock> {
  const lock = await RepositoryLock.acquire(repository, { exclusive, clock: systemClock });
  await lock.confirmed;
  return lock;
}

/** A restic that holds a shared lock for as long as nobody ends its input. */
async function backupUnderWay(tool: Tool): Promise<Running> {
  const running = new Client(tool, location).start(["backup", "--stdin"], { inputStaysOpen: true });
  running.child.stdin?.write("something");
  await waitUntil("restic's lock", () => lockFiles().length === 1);
  return running;
}

for (const tool of RESTICS) {
  test(`${tool.name} does not check while we hold a lock, nor back up while it is exclusive`, async () => {
    const restic = new Client(tool, location);
    await using repository = await openRepository(location);
    for (const exclusive of [false, true]) {
      await using lock = await acquire(repository, exclusive);
      const { exitCode, stderr } = await restic.run(["check"]);
      assert.ok(exitCode === 1 || exitCode === 11, `${exitCode}`);
      assert.match(stderr, new RegExp(`locked (exclusively )?by PID ${process.pid}`));
      const backup = await restic.run(["backup", "--stdin"], { input: "x" });
      if (exclusive) assert.match(backup.stderr, new RegExp(`PID ${process.pid}`));
      assert.equal(backup.exitCode === 0, !exclusive, backup.describe());
      await lock[Symbol.asyncDispose]();
      await restic.done(["check"]);
    }
    assert.deepEqual(lockFiles(), []);
  });

  test(`we may read while ${tool.name} backs up, but not take the repository for ourselves`, async () => {
    const running = await backupUnderWay(tool);
    await using repository = await openRepository(location);
    const shared = await acquire(repository, false);
    await shared[Symbol.asyncDispose]();
    await assert.rejects(acquire(repository, true), (error) => {
      const { message, exitCode } = error as ComebackError;
      assert.ok(message.includes(`process ${running.pid}`), message);
      return isComebackError(error, "repository.locked") && exitCode === 11;
    });
    running.child.stdin?.end();
    assert.equal((await running.finished).exitCode, 0);
    const exclusive = await acquire(repository, true);
    await exclusive[Symbol.asyncDispose]();
  });

  test(`we wait for ${tool.name} while it holds the repository for itself`, async () => {
    const checking = new Client(tool, location).start(["check", "--read-data"]);
    // Stopped between two instructions, with its exclusive lock in place.
    await waitUntil("restic's lock", () => lockFiles().length === 1);
    checking.child.kill("SIGSTOP");
    await using repository = await openRepository(location);
    await assert.rejects(acquire(repository, false), (error) => {
      return isComebackError(error, "repository.locked") && /exclusively/.test(error.message);
    });
    checking.child.kill("SIGCONT");
    assert.equal((await checking.finished).exitCode, 0);
    const lock = await acquire(repository, false);
    await lock[Symbol.asyncDispose]();
  });

  test(`the lock that a killed ${tool.name} left stays while it may be a namesake's`, async () => {
    const running = await backupUnderWay(tool);
    running.child.kill("SIGKILL");
    await running.finished;
    assert.equal(lockFiles().length, 1);
    await using repository = await openRepository(location);
    await assert.rejects(acquire(repository, true), (error) => {
      assert.ok(isComebackError(error, "repository.locked"));
      assert.match(error.next ?? "", /`comeback unlock`/);
      return error.message.includes(`process ${running.pid}`);
    });
    const young = await unlock(repository, { clock: systemClock });
    assert.deepEqual([young.removed.length, young.kept.length], [0, 1]);
    // Two refreshes later a living process would have written it anew.
    const later = { ...systemClock, now: () => Date.now() + LOCK_ABANDONED_MS };
    const { removed } = await unlock(repository, { clock: later });
    assert.deepEqual(
      removed.map(({ lock }) => lock?.pid),
      [running.pid],
    );
    assert.deepEqual(lockFiles(), []);
  });

  test(`the lock that a killed process of ours left is cleared by us, and by ${tool.name}`, async () => {
    const comeback = new Client(COMEBACK, location);
    for (const clear of ["us", "restic"] as const) {
      const running = comeback.start(["backup", "--stdin"], { inputStaysOpen: true });
      await waitUntil("our lock", () => lockFiles().length === 1);
      running.child.kill("SIGKILL");
      await running.finished;
      if (clear === "us") {
        const { stderr } = await comeback.done(["snapshots"]);
        assert.match(stderr, /removed the stale lock of process \d+ on /);
      } else {
        await new Client(tool, location).done(["unlock"]);
      }
      assert.deepEqual(lockFiles(), []);
    }
  });

  test(`${tool.name} reads our locks, and shows their fields`, async () => {
    await using repository = await openRepository(location);
    await using _lock = await acquire(repository, false);
    const [name = ""] = lockFiles();
    const { stdout } = await new Client(tool, location).done(["cat", "lock", name, "--no-lock"]);
    const { pid, exclusive } = JSON.parse(stdout.toString()) as LockFile;
    assert.deepEqual([pid, exclusive], [process.pid, false]);
  });
}

test("`unlock` says what it removes, and keeps the locks of those at work", async () => {
  const comeback = new Client(COMEBACK, location);
  await using repository = await openRepository(location);
  const lock = await acquire(repository, true);
  const kept = await comeback.done(["unlock"]);
  assert.match(
    kept.stdout.toString(),
    /kept exclusive lock .* of process \d+ on .*\n0 locks removed, 1/,
  );
  const all = await comeback.json<{ removed: { pid: number }[] }>(["unlock", "--remove-all"]);
  assert.deepEqual(
    all.removed.map(({ pid }) => pid),
    [process.pid],
  );
  assert.deepEqual(lockFiles(), []);
  await lock[Symbol.asyncDispose]();
  assert.match((await comeback.done(["unlock"])).stdout.toString(), /^0 locks removed\n$/);
});

test("two containers with one host name: neither clears the lock of the other", async () => {
  const comeback = new Client(COMEBACK, location);
  // A pid namespace of its own, in which process numbers begin at 1, and the host's name.
  const container = ["--pid", "--fork", "--kill-child", "--mount-proc"];
  const command = [COMEBACK.command, "-r", location];
  const env = comeback.environment;
  const holder = [...container, ...command, "backup", "--stdin"];
  const running = startProgram("unshare", holder, { env, inputStaysOpen: true });
  running.child.stdin?.write("something");
  await waitUntil("the lock", () => lockFiles().length === 1);
  const inOther = (...args: string[]): Promise<Finished> =>
    startProgram("unshare", [...container, ...command, ...args], { env }).finished;
  for (const look of [await inOther("snapshots"), await comeback.run(["snapshots"])]) {
    assert.equal(look.exitCode, 0, look.describe());
    assert.equal(look.stderr, "");
  }
  const unlocked = await inOther("unlock");
  assert.match(unlocked.stdout.toString(), /^kept lock .*\n0 locks removed, 1 kept/);
  assert.equal(lockFiles().length, 1);
  running.child.stdin?.end();
  assert.equal((await running.finished).exitCode, 0);
  assert.deepEqual(lockFiles(), []);
});
