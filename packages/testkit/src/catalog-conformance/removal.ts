import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunRecord } from "@comeback/core";
import { HOUR_MS, makeRun, makeSnapshot, type MakeCatalog, START_MS } from "./fixture.ts";

export function testRemoval(make: MakeCatalog): void {
  test("old runs go, but the last and last good one of each plan, and those that never ended", async () => {
    await using fixture = await make();
    const { store } = fixture;
    const run = (i: number, more: Partial<RunRecord>): RunRecord =>
      makeRun({ id: `run-${String(i).padStart(5, "0")}`, startedAtMs: START_MS + i, ...more });
    const ended = { endedAtMs: START_MS + HOUR_MS };
    const kept = [
      run(1, { plan: "rare", outcome: "failed", ...ended }),
      run(2, { plan: "shop", outcome: "warning", ...ended }),
      run(600, { plan: "crashed" }),
      run(2_000, { plan: "shop", outcome: "failed", ...ended }),
    ];
    const old = Array.from({ length: 600 }, (_, i) =>
      run(i + 700, { plan: i % 3 === 0 ? "crashed" : "shop", outcome: "failed", ...ended }),
    );
    const newest = run(1_999, { plan: "crashed", outcome: "ok", ...ended });
    for (const one of [...kept, ...old, newest]) await store.saveRun(one);
    for (const { id } of [kept[1]!, old[0]!]) {
      await store.saveStage({ runId: id, sequence: 0, stage: "copy", startedAtMs: 1, attempts: 1 });
      await store.appendLog([{ runId: id, sequence: 0, atMs: 1, level: "info", text: "x" }]);
    }
    const snapshots = [1, 2, 3].map((i) => makeSnapshot({ snapshotId: String(i), atMs: i }));
    for (const snapshot of snapshots) await store.saveSnapshot(snapshot);
    await store.markRemoved("nas", ["1"], START_MS);
    await store.markRemoved("nas", ["2"], START_MS + HOUR_MS);
    const miss = { plan: "shop", trigger: "t", reason: "down" };
    await store.saveMiss({ ...miss, scheduledForMs: 1, noticedAtMs: START_MS });
    await store.saveMiss({ ...miss, scheduledForMs: 2, noticedAtMs: START_MS + HOUR_MS });
    await store.appendAudit({ atMs: 1, actor: "a", action: "b", subject: "c", details: {} });

    assert.equal(await store.removeRunsBefore(START_MS + 1_900), old.length);
    const left = (await store.listRuns({ limit: 100 })).map(({ id }) => id);
    assert.deepEqual(left.toSorted(), [...kept, newest].map(({ id }) => id).toSorted());
    assert.equal((await store.listStages(kept[1]!.id)).length, 1);
    assert.equal((await store.listLog(kept[1]!.id, -1, 9)).length, 1);
    assert.deepEqual(await store.listStages(old[0]!.id), []);
    assert.deepEqual(await store.listLog(old[0]!.id, -1, 9), []);
    const ids = (await store.listSnapshots({ limit: 9 })).map(({ snapshotId }) => snapshotId);
    assert.deepEqual(ids, ["3", "2"]);
    assert.equal((await store.planStates(["shop"]))[0]?.openMisses, 1);
    assert.equal((await store.listAudit(0, 9)).length, 1);
    assert.equal(await store.removeRunsBefore(START_MS + 1_900), 0);
  });
}
