import assert from "node:assert/strict";
import { test } from "node:test";
import { type Backend, LEFT_OVER_MIN_AGE_MS, type LeftOver } from "@comeback/core";
import type { MemoryBackend } from "@comeback/testkit";
import { executePrune } from "../../src/prune/execute.ts";
import { planPrune } from "../../src/prune/plan.ts";
import { RepositoryBuilder } from "../repository-builder.ts";
import { HOUR_MS, openAt, pruneAt, START_MS } from "./prune-fixture.ts";

const DAY_MS = LEFT_OVER_MIN_AGE_MS;
const OLD_MS = START_MS - DAY_MS - 1;

/** A store with such files in it, by when they were written to. */
class LitteredStore {
  readonly backend: Backend;
  readonly left: Map<string, number>;

  constructor(memory: MemoryBackend, written: Readonly<Record<string, number>>) {
    this.left = new Map(Object.entries(written));
    this.backend = Object.assign(memory.sharing(), { leftOvers: async () => this.#found() });
  }

  get paths(): string[] {
    return [...this.left.keys()];
  }

  #found(): LeftOver[] {
    return [...this.left].map(([path, modifiedMs]) => ({
      path,
      sizeBytes: 7,
      modifiedMs,
      remove: async () => void this.left.delete(path),
    }));
  }
}

test("a prune shows and removes what killed saves left a day ago, and nothing younger", async () => {
  for (const mode of ["two-phase", "instant"] as const) {
    await using builder = await RepositoryBuilder.create();
    const store = new LitteredStore(builder.backend, { old: OLD_MS, young: OLD_MS + 2 });
    const repository = await openAt(store.backend, START_MS);
    const prepared = await planPrune({ repository, workers: 1, mode });
    assert.deepEqual(prepared.plan.leftOvers, { files: 1, bytes: 7, paths: ["old"] });
    assert.deepEqual(store.paths, ["old", "young"], "a plan removes nothing");
    const result = await executePrune(prepared);
    assert.deepEqual([result.leftOversRemoved, result.leftOverBytesRemoved], [1, 7]);
    assert.deepEqual(store.paths, ["young"]);
  }
});

test("what somebody may be writing who is at work here stays", async () => {
  const sinceMs = START_MS - 2 * DAY_MS;
  const written = { before: sinceMs - 3 * HOUR_MS, since: sinceMs + HOUR_MS };
  for (const [comeback, removed] of [
    [{ since: new Date(sinceMs).toISOString() }, ["before"]],
    // restic's locks do not say since when they are held.
    [undefined, []],
  ] as const) {
    await using builder = await RepositoryBuilder.create();
    const store = new LitteredStore(builder.backend, written);
    const time = new Date(START_MS - 1_000).toISOString();
    const holder = { time, exclusive: false, hostname: "nas", username: "ada", pid: 7, comeback };
    const repository = await openAt(builder.backend.sharing(), START_MS);
    const lock = await repository.saveUnpacked("lock", Buffer.from(JSON.stringify(holder)));
    const { plan } = await pruneAt(store.backend, START_MS);
    assert.deepEqual(plan.leftOvers.paths, removed);
    assert.deepEqual(
      store.paths,
      Object.keys(written).filter((path) => !removed.some((other) => other === path)),
    );
    await builder.backend.remove({ type: "lock", name: lock });
    await pruneAt(store.backend, START_MS);
    assert.deepEqual(store.paths, []);
  }
});

test("who came back to work between plan and execution keeps what is theirs", async () => {
  await using builder = await RepositoryBuilder.create();
  const store = new LitteredStore(builder.backend, { theirs: OLD_MS });
  const repository = await openAt(store.backend, START_MS);
  const prepared = await planPrune({ repository, workers: 1 });
  assert.equal(prepared.plan.leftOvers.files, 1);
  const holder = {
    time: new Date(START_MS).toISOString(),
    exclusive: false,
    hostname: "laptop",
    username: "ada",
    pid: 7,
    comeback: { since: new Date(OLD_MS - HOUR_MS).toISOString() },
  };
  await repository.saveUnpacked("lock", Buffer.from(JSON.stringify(holder)));
  const { leftOversRemoved } = await executePrune(prepared);
  assert.equal(leftOversRemoved, 0);
  assert.deepEqual(store.paths, ["theirs"]);
});
