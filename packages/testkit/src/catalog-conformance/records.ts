import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProofRecord, ScheduleMiss, SnapshotRecord } from "@comeback/core";
import { HOUR_MS, makeSnapshot, type MakeCatalog, START_MS } from "./fixture.ts";

export function testRecords(make: MakeCatalog): void {
  test("snapshots: by what they are of, in several destinations, removed once", async () => {
    await using fixture = await make();
    const { store } = fixture;
    const one = makeSnapshot({ snapshotId: "1" });
    const copy = makeSnapshot({ snapshotId: "1c", destination: "cloud", copiedFrom: "1" });
    const two = makeSnapshot({ snapshotId: "2", atMs: START_MS + 1, runId: "b", items: [] });
    const other = makeSnapshot({ snapshotId: "2", plan: "mail", source: "db", destination: "x" });
    for (const snapshot of [one, copy, two, other]) await store.saveSnapshot(snapshot);
    await store.saveSnapshot(two);
    const list = (filter: object): Promise<SnapshotRecord[]> =>
      store.listSnapshots({ limit: 10, ...filter });
    assert.deepEqual(await list({}), [two, other, copy, one]);
    assert.deepEqual(await list({ limit: 1 }), [two]);
    assert.deepEqual(await list({ plan: "shop", source: "content" }), [two, copy, one]);
    assert.deepEqual(await list({ destination: "nas" }), [two, one]);
    assert.deepEqual(await list({ runId: "b" }), [two]);
    assert.deepEqual(await list({ snapshotId: "2", destination: "nas" }), [two]);

    const atMs = START_MS + HOUR_MS;
    await store.markRemoved("nas", ["1", "unknown", "1c"], atMs);
    await store.markRemoved("nas", ["1"], atMs + 1);
    await store.markRemoved("nas", [], atMs);
    assert.deepEqual(await list({ plan: "shop" }), [two, copy, { ...one, removedAtMs: atMs }]);
    const many = Array.from({ length: 1_200 }, (_, i) => `unknown ${i}`);
    await store.markRemoved("nas", [...many, "2"], atMs);
    assert.equal((await list({ runId: "b" }))[0]?.removedAtMs, atMs);
  });
}

export function testFigures(make: MakeCatalog): void {
  test("statistics and proofs, newest first", async () => {
    await using fixture = await make();
    const { store } = fixture;
    const statistics = (atMs: number, packs = 2) => ({
      destination: "nas",
      atMs,
      snapshots: 1,
      packs,
      sizeBytes: 2 ** 52,
    });
    for (const atMs of [2, 1, 3]) await store.saveStatistics(statistics(atMs));
    await store.saveStatistics(statistics(2, 7));
    await store.saveStatistics({ ...statistics(9), destination: "cloud" });
    assert.deepEqual(await store.listStatistics({ destination: "nas", limit: 2 }), [
      statistics(3),
      statistics(2, 7),
    ]);
    const cloud = { ...statistics(9), destination: "cloud" };
    assert.deepEqual(await store.listStatistics({ limit: 2 }), [cloud, statistics(3)]);

    const proof = (atMs: number, message: string): ProofRecord => ({
      runId: "a",
      plan: "shop",
      destination: "nas",
      kind: "check",
      atMs,
      outcome: "ok",
      message,
    });
    const restored: ProofRecord = {
      ...proof(1, "c"),
      kind: "restore-test",
      snapshotId: "1",
      tookMs: 5,
    };
    for (const one of [proof(1, "a"), proof(2, "b"), restored]) await store.saveProof(one);
    assert.deepEqual(await store.listProofs({ plan: "shop", limit: 10 }), [
      proof(2, "b"),
      restored,
      proof(1, "a"),
    ]);
    assert.deepEqual(await store.listProofs({ plan: "shop", limit: 1 }), [proof(2, "b")]);
    assert.deepEqual(await store.listProofs({ plan: "mail", limit: 1 }), []);
    const mailed = { ...proof(3, "d"), plan: "mail" };
    await store.saveProof(mailed);
    assert.deepEqual(await store.listProofs({ limit: 2 }), [mailed, proof(2, "b")]);
  });
}

export function testSchedules(make: MakeCatalog): void {
  test("marks, misses and notes", async () => {
    await using fixture = await make();
    const { store } = fixture;
    assert.equal(await store.readScheduleMark("shop", "daily"), undefined);
    await store.saveScheduleMark("shop", "daily", 5);
    await store.saveScheduleMark("shop", "weekly", 7);
    await store.saveScheduleMark("shop", "daily", 3);
    assert.equal(await store.readScheduleMark("shop", "daily"), 3);

    const miss = (scheduledForMs: number, plan = "shop"): ScheduleMiss => ({
      plan,
      trigger: "daily",
      scheduledForMs,
      noticedAtMs: START_MS,
      reason: "down",
    });
    for (const one of [miss(1), miss(3), miss(2, "mail")]) await store.saveMiss(one);
    const closed: ScheduleMiss = { ...miss(1), caughtUpBy: "run" };
    await store.saveMiss(closed);
    assert.deepEqual(await store.listMisses({ limit: 9 }), [miss(3), miss(2, "mail"), closed]);
    assert.deepEqual(await store.listMisses({ plan: "shop", limit: 1 }), [miss(3)]);

    assert.equal(await store.readNote("k"), undefined);
    await store.saveNote("k", '{"a":1}');
    await store.saveNote("k", "v");
    assert.equal(await store.readNote("k"), "v");
    await store.saveNote("k", undefined);
    await store.saveNote("k", undefined);
    assert.equal(await store.readNote("k"), undefined);
  });
}
