import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FaultyBackend } from "@comeback/testkit";
import { executeForget } from "../../src/forget/execute-forget.ts";
import { planForget, planForgetNamed, removedByPlan } from "../../src/forget/plan-forget.ts";
import { listSnapshots } from "../../src/repository/snapshots.ts";
import { RepositoryBuilder, treeBlob } from "../repository-builder.ts";

const TREE = treeBlob([]);
const nowMs = Date.UTC(2026, 5, 15);

async function withSnapshots(count: number): Promise<RepositoryBuilder> {
  const builder = await RepositoryBuilder.create();
  for (let i = 0; i < count; i++) {
    await builder.snapshot(TREE, { time: new Date(nowMs - i * 3_600_000).toISOString() });
  }
  return builder;
}

describe("forgetting", () => {
  it("removes what the plan says, and no other file", async () => {
    await using builder = await withSnapshots(50);
    const before = await listSnapshots(builder.repository);
    const plan = planForget(before, { policy: { last: 7 }, nowMs });
    const faulty = new FaultyBackend(builder.backend.sharing());
    await using repository = await builder.reopen(faulty);
    const told: string[] = [];
    const result = await executeForget(repository, plan, { onRemoved: (id) => told.push(id) });
    assert.deepEqual(result, { removed: 43, failed: [] });
    assert.deepEqual(await listSnapshots(builder.repository), before.slice(-7));
    const planned = removedByPlan(plan).map(({ id }) => id);
    assert.deepEqual(told.toSorted(), planned.toSorted());
    const removals = faulty.calls.filter(({ method }) => method === "remove");
    assert.deepEqual(removals.map(({ name }) => name).toSorted(), planned.toSorted());
    assert.ok(removals.every(({ type }) => type === "snapshot"));
  });

  it("goes on where one snapshot cannot be removed, and says which", async () => {
    await using builder = await withSnapshots(5);
    const all = await listSnapshots(builder.repository);
    const stuck = all[2]!.id;
    const faulty = new FaultyBackend(builder.backend.sharing());
    await using repository = await builder.reopen(faulty);
    faulty.stage({ method: "remove", name: stuck, when: "always", fault: { kind: "error" } });
    const result = await executeForget(repository, planForgetNamed(all));
    assert.equal(result.removed, 4);
    assert.deepEqual(
      result.failed.map(({ id }) => id),
      [stuck],
    );
    assert.deepEqual(await listSnapshots(builder.repository), [all[2]]);
  });

  it("stops when it is told to: the rest is left as it was", async () => {
    await using builder = await withSnapshots(40);
    const all = await listSnapshots(builder.repository);
    const stop = new AbortController();
    let seen = 0;
    const running = executeForget(builder.repository, planForgetNamed(all), {
      signal: stop.signal,
      onRemoved: () => {
        if (++seen === 3) stop.abort(new Error("enough"));
      },
    });
    await assert.rejects(running, /enough/);
    const left = await listSnapshots(builder.repository);
    const { connections } = builder.backend;
    assert.ok(left.length >= 40 - 3 - connections && left.length < 40, `${left.length} left`);
  });

  it("takes a snapshot that is gone already for removed", async () => {
    await using builder = await withSnapshots(2);
    const plan = planForgetNamed(await listSnapshots(builder.repository));
    await executeForget(builder.repository, plan);
    assert.deepEqual(await executeForget(builder.repository, plan), { removed: 2, failed: [] });
  });
});
