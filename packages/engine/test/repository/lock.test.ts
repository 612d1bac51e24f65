import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { hostname } from "node:os";
import { describe, it } from "node:test";
import {
  type Clock,
  ComebackError,
  isComebackError,
  type ListedFile,
  LOCK_GIVE_UP_MS,
  LIST_LAG_DEFAULT_MS,
  LOCK_REFRESH_MS,
  LOCK_STALE_MS,
} from "@comeback/core";
import { ownProcessPlace } from "@comeback/platform";
import { SimulatedClock } from "@comeback/testkit";
import { listLocks, RepositoryLock } from "../../src/repository/lock.ts";
import { decodeLock, type LockFile, readLock } from "../../src/repository/lock-file.ts";
import type { Repository } from "../../src/repository/repository.ts";
import { RepositoryBuilder } from "../repository-builder.ts";

/** Takes a lock and lets the time pass after which it is confirmed. */
async function acquire(
  repository: Repository,
  exclusive: boolean,
  clock: SimulatedClock = new SimulatedClock(),
): Promise<RepositoryLock> {
  const lock = await RepositoryLock.acquire(repository, { exclusive, clock });
  const waiting = { isOver: false };
  void lock.confirmed.catch(() => {}).finally(() => (waiting.isOver = true));
  while (!waiting.isOver) await clock.advance(LIST_LAG_DEFAULT_MS);
  await lock.confirmed;
  return lock;
}

/** A lock of another process. */
async function plant(repository: Repository, fields: Partial<LockFile>): Promise<string> {
  const lock: LockFile = {
    time: new Date(new SimulatedClock().now()).toISOString(),
    exclusive: false,
    hostname: "elsewhere",
    username: "someone",
    pid: 4711,
    ...fields,
  };
  return repository.saveUnpacked("lock", Buffer.from(JSON.stringify(lock)));
}

const isLocked = (error: unknown): boolean =>
  isComebackError(error, "repository.locked") && error.exitCode === 11;

async function lockNames(repository: Repository): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of repository.backend.list("lock")) names.push(name);
  return names;
}

/** The id of a process that has ended. */
function deadProcess(): number {
  return spawnSync("true").pid;
}

describe("a lock", () => {
  it("is taken by a look that was made before, and by the one after it", async () => {
    await using builder = await RepositoryBuilder.create();
    const { repository } = builder;
    const { backend } = repository;
    const clock = new SimulatedClock();
    const take = (exclusive: boolean, firstLook: Promise<readonly ListedFile[]>) =>
      RepositoryLock.acquire(repository, { exclusive, clock, firstLook });

    const none = listLocks(backend, {});
    await using shared = await take(false, none);
    await shared.confirmed;
    // Seen at once, and where the look was too early, by the next one.
    await assert.rejects(take(true, listLocks(backend, {})), isLocked);
    const late = await take(true, none);
    await assert.rejects(late.confirmed, isLocked);
    await late[Symbol.asyncDispose]();
    assert.equal((await lockNames(repository)).length, 1);

    // One that has gone since, or a look that failed, is in nobody's way.
    const before = await listLocks(backend, {});
    await shared[Symbol.asyncDispose]();
    await using first = await take(true, Promise.resolve(before));
    await first.confirmed;
    const failed = Promise.reject(new Error("no list"));
    await assert.rejects(take(true, failed), isLocked);
  });

  it("is shared with others that are shared, and exclusive against all", async () => {
    await using builder = await RepositoryBuilder.create({ listLagMs: LIST_LAG_DEFAULT_MS });
    const { repository } = builder;
    const shared = [await acquire(repository, false), await acquire(repository, false)];
    await assert.rejects(acquire(repository, true), isLocked);
    assert.equal((await lockNames(repository)).length, 2, "a refused lock leaves nothing behind");
    for (const lock of shared) await lock[Symbol.asyncDispose]();
    const exclusive = await acquire(repository, true);
    await assert.rejects(acquire(repository, false), isLocked);
    await assert.rejects(acquire(repository, true), isLocked);
    await exclusive[Symbol.asyncDispose]();
    await exclusive[Symbol.asyncDispose]();
    assert.deepEqual(await lockNames(repository), []);
  });

  it("that is shared keeps out only the same activity, and says since when it is held", async () => {
    await using builder = await RepositoryBuilder.create();
    const { repository } = builder;
    const clock = new SimulatedClock();
    const options = { exclusive: false, clock };
    await using first = await RepositoryLock.acquire(repository, { ...options, activity: "prune" });
    await first.confirmed;
    const again = RepositoryLock.acquire(repository, { ...options, activity: "prune" });
    await assert.rejects(again, isLocked);
    await using other = await RepositoryLock.acquire(repository, options);
    await other.confirmed;
    const names = await lockNames(repository);
    const locks = await Promise.all(names.map((name) => readLock(repository, name)));
    assert.deepEqual(
      locks.map((lock) => [lock?.comeback?.activity, lock?.comeback?.since === lock?.time]),
      [
        ["prune", true],
        [undefined, true],
      ],
    );
  });

  it("says who holds the repository and since when", async () => {
    await using builder = await RepositoryBuilder.create({ listLagMs: LIST_LAG_DEFAULT_MS });
    await plant(builder.repository, { exclusive: true, pid: 99, hostname: "nas", username: "eve" });
    await assert.rejects(acquire(builder.repository, false), (error) => {
      const { message, why } = error as ComebackError;
      assert.match(message, /exclusively locked by process 99 on nas/);
      assert.match(why ?? "", /eve has held it since 2026-01-02T03:04:05/);
      return isLocked(error);
    });
  });

  it("gives way where two take one at the same moment, and both cannot have it", async () => {
    await using builder = await RepositoryBuilder.create({ listLagMs: LIST_LAG_DEFAULT_MS });
    const { repository } = builder;
    const clock = new SimulatedClock();
    const first = await RepositoryLock.acquire(repository, { exclusive: true, clock });
    // The other one had looked before ours was written.
    const other = await plant(repository, { exclusive: false });
    await clock.advance(LIST_LAG_DEFAULT_MS);
    await assert.rejects(first.confirmed, isLocked);
    assert.deepEqual(await lockNames(repository), [other], "ours is gone, theirs stays");
    await first[Symbol.asyncDispose]();
  });

  it("is never had by two at once, without a wait, where lists do not lag", async () => {
    for (let turns = 0; turns < 12; turns++) {
      await using builder = await RepositoryBuilder.create({ seed: turns + 1 });
      const { repository } = builder;
      const confirmed = async (exclusive: boolean, turnsBefore: number): Promise<string> => {
        for (let i = 0; i < turnsBefore; i++) await new Promise(setImmediate);
        const clock = new SimulatedClock();
        try {
          const lock = await RepositoryLock.acquire(repository, { exclusive, clock });
          await lock.confirmed;
          return "had";
        } catch (error) {
          assert.ok(isLocked(error));
          return "refused";
        }
      };
      const outcomes = await Promise.all([confirmed(true, 0), confirmed(turns % 2 === 0, turns)]);
      const had = outcomes.filter((outcome) => outcome === "had").length;
      assert.ok(had <= 1, "never both");
      assert.equal(
        (await lockNames(repository)).length,
        had,
        "a refused lock leaves nothing behind",
      );
    }
  });

  it("clears locks of processes that are certainly gone and of those not refreshed, and no others", async () => {
    await using builder = await RepositoryBuilder.create({ listLagMs: LIST_LAG_DEFAULT_MS });
    const { repository } = builder;
    const clock = new SimulatedClock();
    const before = (ageMs: number): string => new Date(clock.now() - ageMs).toISOString();
    const place = ownProcessPlace();
    assert.ok(place !== undefined);
    const holder = { boot_id: place.bootId, pid_namespace: place.pidNamespace };
    const dead = await plant(repository, {
      hostname: hostname(),
      pid: deadProcess(),
      comeback: holder,
    });
    const old = await plant(repository, { exclusive: true, time: before(LOCK_STALE_MS + 1) });
    const alive = await plant(repository, {
      hostname: hostname(),
      pid: process.ppid,
      comeback: holder,
    });
    // restic's, or of another container with our host name: the number says nothing.
    const namesake = await plant(repository, { hostname: hostname(), pid: deadProcess() });
    const young = await plant(repository, { time: before(LOCK_STALE_MS - 1000) });
    const cleared: LockFile[] = [];
    const onStaleRemoved = (lock: LockFile): void => void cleared.push(lock);
    const options = { exclusive: false, clock, onStaleRemoved };
    const lock = await RepositoryLock.acquire(repository, options);
    const left = new Set(await lockNames(repository));
    assert.ok(!left.has(dead) && !left.has(old));
    assert.ok(left.has(alive) && left.has(young) && left.has(namesake));
    assert.equal(left.size, 4);
    assert.equal(cleared.length, 2);
    await clock.advance(LIST_LAG_DEFAULT_MS);
    await lock[Symbol.asyncDispose]();
  });

  it("passes over empty lock files, and over ones that vanish while they are read", async () => {
    await using builder = await RepositoryBuilder.create({ listLagMs: LIST_LAG_DEFAULT_MS });
    builder.backend.overwrite({ type: "lock", name: "0".repeat(64) }, new Uint8Array(0));
    const { repository } = builder;
    await plant(repository, { exclusive: true });
    const load = repository.backend.load.bind(repository.backend);
    repository.backend.load = async (file, options) => {
      if (file.type === "lock") await repository.backend.remove(file);
      return load(file, options);
    };
    const lock = await acquire(repository, true);
    await lock[Symbol.asyncDispose]();
  });

  it("sees another one that is written anew between the listing and the reading", async () => {
    await using builder = await RepositoryBuilder.create({ listLagMs: LIST_LAG_DEFAULT_MS });
    const { repository } = builder;
    const held = await plant(repository, { exclusive: true });
    const load = repository.backend.load.bind(repository.backend);
    repository.backend.load = async (file, options) => {
      if (file.name === held) {
        await plant(repository, { exclusive: true, pid: 4712 });
        await repository.backend.remove(file);
      }
      return load(file, options);
    };
    await assert.rejects(acquire(repository, false), isLocked);
  });

  it("that excludes others also waits until lists show what they wrote last", async () => {
    await using builder = await RepositoryBuilder.create({ listLagMs: LIST_LAG_DEFAULT_MS });
    const { repository } = builder;
    for (const wish of [
      { exclusive: false },
      { exclusive: true },
      { exclusive: false, activity: "prune" },
    ] as const) {
      const sleeps: number[] = [];
      const sleep: Clock["sleep"] = async (delayMs) => void sleeps.push(delayMs);
      const clock = { now: () => 0, sleep };
      const lock = await RepositoryLock.acquire(repository, { ...wish, clock });
      await lock.confirmed;
      const lag = LIST_LAG_DEFAULT_MS;
      const excludesOthers = wish.exclusive || "activity" in wish;
      assert.deepEqual(sleeps, excludesOthers ? [lag, lag] : [lag]);
      await lock[Symbol.asyncDispose]();
    }
  });

  it("is not taken beside one that cannot be read", async () => {
    await using builder = await RepositoryBuilder.create({ listLagMs: LIST_LAG_DEFAULT_MS });
    const name = await plant(builder.repository, {});
    builder.damage("lock", name, (bytes) => bytes.subarray(0, 20));
    await assert.rejects(acquire(builder.repository, true), { code: "repository.damaged" });
  });

  it("that says nothing of its holder is named as damaged, whatever its text", async () => {
    const good = { time: "2026-01-01T00:00:00Z", hostname: "h", username: "u", pid: 1 };
    const name = "ab".repeat(32);
    const decode = (text: string): LockFile => decodeLock(Buffer.from(text), name);
    assert.deepEqual(decode(JSON.stringify(good)), good);
    const odd = ["", "null", "[]", "7", "{}", "{"];
    for (const field of Object.keys(good)) odd.push(JSON.stringify({ ...good, [field]: null }));
    odd.push(JSON.stringify({ ...good, time: "soon" }), JSON.stringify({ ...good, pid: 1.5 }));
    for (const text of odd) {
      assert.throws(
        () => decode(text),
        (error) =>
          isComebackError(error, "repository.damaged") && /lock abababab/.test(error.message),
        text,
      );
    }
  });

  it("is not confirmed after an abort", async () => {
    await using builder = await RepositoryBuilder.create({ listLagMs: LIST_LAG_DEFAULT_MS });
    const controller = new AbortController();
    const { signal } = controller;
    const options = { exclusive: true, clock: new SimulatedClock(), signal };
    const lock = await RepositoryLock.acquire(builder.repository, options);
    controller.abort(new Error("enough"));
    await assert.rejects(lock.confirmed, /enough/);
    await lock[Symbol.asyncDispose]();
    assert.deepEqual(await lockNames(builder.repository), []);
  });

  it("is written anew while it is held, the new file before the old one goes", async (t) => {
    t.mock.timers.enable({ apis: ["setInterval"] });
    await using builder = await RepositoryBuilder.create({ listLagMs: LIST_LAG_DEFAULT_MS });
    const { repository } = builder;
    const clock = new SimulatedClock();
    const lock = await acquire(repository, true, clock);
    const counts: number[] = [];
    const remove = repository.backend.remove.bind(repository.backend);
    repository.backend.remove = async (file) => {
      counts.push((await lockNames(repository)).length);
      await remove(file);
    };
    const names = [await lockNames(repository)];
    for (let i = 0; i < 3; i++) {
      await clock.advance(LOCK_REFRESH_MS);
      t.mock.timers.tick(LOCK_REFRESH_MS);
      await untilWritten(repository);
      await clock.advance(LIST_LAG_DEFAULT_MS);
      await untilChanged(repository, names.at(-1)!);
      names.push(await lockNames(repository));
    }
    assert.ok(names.every((list) => list.length === 1));
    assert.equal(new Set(names.flat()).size, 4, "a new file each time");
    assert.deepEqual(counts, [2, 2, 2]);
    await lock[Symbol.asyncDispose]();
    assert.deepEqual(await lockNames(repository), []);
  });

  it("that was cleared while the machine slept lets no snapshot be saved any more", async () => {
    await using builder = await RepositoryBuilder.create();
    const { repository } = builder;
    const clock = new SimulatedClock();
    const lost: ComebackError[] = [];
    const onLost = (error: ComebackError): void => void lost.push(error);
    await using lock = await RepositoryLock.acquire(repository, {
      exclusive: false,
      clock,
      onLost,
    });
    await lock.confirmed;
    const [name] = await lockNames(repository);
    await clock.advance(LOCK_STALE_MS + 1);
    await repository.backend.remove({ type: "lock", name: name as string });
    await assert.rejects(repository.saveUnpacked("snapshot", Buffer.from("{}")), (error) =>
      isComebackError(error, "repository.locked"),
    );
    assert.equal(lost.length, 1);
    await assert.rejects(
      repository.assertLocked(),
      (error) => isComebackError(error, "repository.locked"),
      "and not later either",
    );
    for await (const _ of repository.backend.list("snapshot")) assert.fail("nothing was saved");
  });

  it("that nobody cleared while the machine slept is refreshed, and the work goes on", async () => {
    await using builder = await RepositoryBuilder.create();
    const { repository } = builder;
    const clock = new SimulatedClock();
    await using lock = await RepositoryLock.acquire(repository, { exclusive: false, clock });
    await lock.confirmed;
    const before = await lockNames(repository);
    await clock.advance(LOCK_STALE_MS + 1);
    await repository.saveUnpacked("snapshot", Buffer.from("{}"));
    const after = await lockNames(repository);
    assert.equal(after.length, 1);
    assert.notDeepEqual(after, before);
  });

  it("is reported as lost once it could not be written anew for too long", async (t) => {
    t.mock.timers.enable({ apis: ["setInterval"] });
    await using builder = await RepositoryBuilder.create({ listLagMs: LIST_LAG_DEFAULT_MS });
    const { repository } = builder;
    const clock = new SimulatedClock();
    const lost: ComebackError[] = [];
    const onLost = (error: ComebackError): void => void lost.push(error);
    const lock = await RepositoryLock.acquire(repository, { exclusive: false, clock, onLost });
    await clock.advance(LIST_LAG_DEFAULT_MS);
    let saves = 0;
    repository.backend.save = () => {
      saves++;
      return Promise.reject(new ComebackError("backend.io", "no line"));
    };
    const pause: Clock["sleep"] = () => new Promise((resolve) => void setImmediate(resolve));
    for (let ms = 0; ms < LOCK_GIVE_UP_MS; ms += LOCK_REFRESH_MS) {
      assert.deepEqual(lost, []);
      await clock.advance(LOCK_REFRESH_MS);
      t.mock.timers.tick(LOCK_REFRESH_MS);
      await pause(0);
    }
    assert.equal(saves, Math.ceil(LOCK_GIVE_UP_MS / LOCK_REFRESH_MS));
    assert.equal(lost.length, 1);
    assert.equal(lost[0]?.code, "repository.locked");
    await lock[Symbol.asyncDispose]();
  });
});

/** The new lock is there, and the old one until others see the new one. */
async function untilWritten(repository: Repository): Promise<void> {
  while ((await lockNames(repository)).length < 2);
  await new Promise((resolve) => void setImmediate(resolve));
}

async function untilChanged(repository: Repository, names: readonly string[]): Promise<void> {
  for (;;) {
    const now = await lockNames(repository);
    if (now.length === 1 && now[0] !== names[0]) return;
  }
}
