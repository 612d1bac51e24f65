import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isComebackError } from "@comeback/core";
import { planForget, planForgetNamed, removedByPlan } from "../../src/forget/plan-forget.ts";
import { HOLD_TAG } from "../../src/snapshot/hold.ts";
import type { Snapshot } from "../../src/snapshot/snapshot.ts";

const nowMs = Date.UTC(2026, 5, 15);

function snapshot(number: number, fields: Partial<Snapshot> = {}): Snapshot {
  const time = new Date(nowMs - number * 86_400_000).toISOString();
  const id = String(number).padStart(64, "0");
  return { id, time, tree: "0".repeat(64), paths: ["/a"], hostname: "h", ...fields };
}

const numbersOf = (snapshots: readonly Snapshot[]): number[] =>
  snapshots.map(({ id }) => Number(id)).toSorted((a, b) => a - b);

describe("a plan to forget", () => {
  it("looks at each group by itself", () => {
    const all = [
      snapshot(4),
      snapshot(3, { paths: ["/b", "/a"] }),
      snapshot(2, { paths: ["/a", "/b"], tags: ["x"] }),
      snapshot(1, { hostname: "g" }),
      snapshot(0),
    ];
    const removed = (groupBy?: { host: boolean; paths: boolean; tags: boolean }): number[] => {
      const policy = { last: 1 };
      return numbersOf(
        removedByPlan(planForget(all, { policy, nowMs, ...(groupBy && { groupBy }) })),
      );
    };
    assert.deepEqual(removed(), [3, 4]);
    assert.deepEqual(removed({ host: true, paths: false, tags: false }), [2, 3, 4]);
    assert.deepEqual(removed({ host: false, paths: false, tags: true }), [1, 3, 4]);
    assert.deepEqual(removed({ host: false, paths: false, tags: false }), [1, 2, 3, 4]);
  });

  it("that would empty a group is refused, and names the group", () => {
    const all = [snapshot(1), snapshot(2), snapshot(3, { hostname: "g" })];
    const options = { policy: { tags: [["x"]] }, nowMs };
    assert.throws(
      () => planForget(all, options),
      (error) =>
        isComebackError(error, "forget.removes-all") &&
        /of host h, paths \/a would/.test(error.message) &&
        /one of the 2 /.test(error.why!),
    );
    const plan = planForget(all, { ...options, allowRemoveAll: true });
    assert.deepEqual(numbersOf(removedByPlan(plan)), [1, 2, 3]);
    const held = all.map((one) => ({ ...one, tags: [HOLD_TAG] }));
    assert.deepEqual(removedByPlan(planForget(held, options)), []);
  });

  it("needs a rule, or both a choice of snapshots and the word that all may go", () => {
    const all = [snapshot(1), snapshot(2, { tags: [HOLD_TAG] })];
    const plan = (more: { allowRemoveAll?: boolean; isFiltered?: boolean }): number[] =>
      numbersOf(removedByPlan(planForget(all, { policy: { last: 0 }, nowMs, ...more })));
    for (const more of [{}, { isFiltered: true }, { allowRemoveAll: true }]) {
      assert.throws(() => plan(more), { code: "option.invalid" }, JSON.stringify(more));
    }
    assert.deepEqual(plan({ allowRemoveAll: true, isFiltered: true }), [1]);
  });

  it("is not made at all where a snapshot's time cannot be read", () => {
    // A date that JavaScript takes and restic does not.
    const odd = snapshot(1, { time: "2026-01-01" });
    assert.throws(() => planForget([odd, snapshot(2)], { policy: { last: 1 }, nowMs }), {
      code: "repository.damaged",
    });
  });

  it("by name removes what is named, unless something of it is held", () => {
    const all = [snapshot(2), snapshot(1)];
    assert.deepEqual(numbersOf(removedByPlan(planForgetNamed(all))), [1, 2]);
    assert.throws(
      () => planForgetNamed([...all, snapshot(3, { tags: ["a", HOLD_TAG] })]),
      (error) => isComebackError(error, "forget.held") && error.message.startsWith("00000000 is"),
    );
  });
});
