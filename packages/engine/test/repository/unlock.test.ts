import assert from "node:assert/strict";
import { test } from "node:test";
import { LOCK_STALE_MS } from "@comeback/core";
import { SimulatedClock } from "@comeback/testkit";
import { unlock } from "../../src/repository/unlock.ts";
import { RepositoryBuilder } from "../repository-builder.ts";

const clock = new SimulatedClock();

async function plant(builder: RepositoryBuilder, pid: number, ageMs: number): Promise<string> {
  const time = new Date(clock.now() - ageMs).toISOString();
  const lock = { time, exclusive: true, hostname: "elsewhere", username: "someone", pid };
  return builder.repository.saveUnpacked("lock", Buffer.from(JSON.stringify(lock)));
}

async function lockNames({ repository }: RepositoryBuilder): Promise<string[]> {
  return (await Array.fromAsync(repository.backend.list("lock"))).map(({ name }) => name);
}

test("stale locks go, fresh and unreadable ones stay; with removeAll none does", async () => {
  await using builder = await RepositoryBuilder.create();
  const old = await plant(builder, 1, LOCK_STALE_MS + 1);
  const young = await plant(builder, 2, 1000);
  const torn = await plant(builder, 3, LOCK_STALE_MS + 1);
  builder.damage("lock", torn, (bytes) => bytes.subarray(0, 20));
  const empty = "0".repeat(64);
  builder.backend.overwrite({ type: "lock", name: empty }, new Uint8Array(0));

  const first = await unlock(builder.repository, { clock });
  assert.deepEqual(
    first.removed.map(({ id, lock }) => [id, lock?.pid]),
    [[old, 1]],
  );
  assert.deepEqual(
    new Map(first.kept.map(({ id, lock }) => [id, lock?.pid])),
    new Map([
      [young, 2],
      [torn, undefined],
      [empty, undefined],
    ]),
  );
  assert.deepEqual(new Set(await lockNames(builder)), new Set([young, torn, empty]));

  const all = await unlock(builder.repository, { clock, removeAll: true });
  assert.equal(all.removed.length, 3);
  assert.deepEqual(all.kept, []);
  assert.deepEqual(await lockNames(builder), []);
});

test("a lock that is released meanwhile is neither removed nor kept", async () => {
  await using builder = await RepositoryBuilder.create();
  const name = await plant(builder, 1, 1000);
  const { backend } = builder.repository;
  const load = backend.load.bind(backend);
  backend.load = async (file, options) => {
    await backend.remove({ type: "lock", name });
    return load(file, options);
  };
  assert.deepEqual(await unlock(builder.repository, { clock }), { removed: [], kept: [] });
});
