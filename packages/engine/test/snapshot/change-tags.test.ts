import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FaultyBackend } from "@comeback/testkit";
import { listSnapshots } from "../../src/repository/snapshots.ts";
import { changedTags, changeTags, type TagChanges } from "../../src/snapshot/change-tags.ts";
import { HOLD_TAG } from "../../src/snapshot/hold.ts";
import { RepositoryBuilder, treeBlob } from "../repository-builder.ts";

const TREE = treeBlob([]);

describe("tags", () => {
  it("are added, removed and set; no change is none", () => {
    const change = (tags: readonly string[], changes: TagChanges): string[] | undefined =>
      changedTags({ id: "", time: "", tree: "", paths: [], tags }, changes);
    assert.deepEqual(change(["a"], { add: ["b", "a", "b"] }), ["a", "b"]);
    assert.deepEqual(change(["a", "b", "c"], { remove: ["b", "x"] }), ["a", "c"]);
    assert.deepEqual(change(["a"], { add: ["b"], remove: ["a"] }), ["b"]);
    assert.deepEqual(change(["a", "b"], { set: ["c"] }), ["c"]);
    assert.deepEqual(change(["a"], { set: [] }), []);
    assert.equal(change(["a"], { add: ["a"], remove: ["b"] }), undefined);
    assert.equal(change([], { set: [] }), undefined);
  });

  it("set anew do not release what is held; removing the hold does", () => {
    const held = { id: "", time: "", tree: "", paths: [], tags: ["a", HOLD_TAG] };
    assert.deepEqual(changedTags(held, { set: ["b"] }), ["b", HOLD_TAG]);
    assert.deepEqual(changedTags(held, { set: [] }), [HOLD_TAG]);
    assert.deepEqual(changedTags(held, { remove: [HOLD_TAG] }), ["a"]);
  });

  it("are changed on snapshots one by one: what fails is named, the others are changed", async () => {
    await using builder = await RepositoryBuilder.create();
    for (const day of [1, 2, 3, 4]) {
      await builder.snapshot(TREE, { time: `2026-01-0${day}T00:00:00Z`, tags: [`day ${day}`] });
    }
    const [, stuck, , same] = await listSnapshots(builder.repository);
    const faulty = new FaultyBackend(builder.backend.sharing());
    faulty.stage({ method: "remove", name: stuck!.id, fault: { kind: "error" } });
    await using repository = await builder.reopen(faulty);
    const told: string[] = [];
    const all = await listSnapshots(repository);
    const result = await changeTags(
      repository,
      all,
      { add: ["day 4"] },
      {
        onChanged: (old, changed) =>
          told.push(`${old.time} ${String(changed.original === old.id)}`),
      },
    );
    assert.deepEqual([result.changed, result.failed.map(({ id }) => id)], [2, [stuck!.id]]);
    assert.deepEqual(told.toSorted(), ["2026-01-01T00:00:00Z true", "2026-01-03T00:00:00Z true"]);
    const after = await listSnapshots(builder.repository);
    assert.ok(after.some(({ id }) => id === same!.id));
    // The new one was saved before the old one could not go.
    assert.equal(after.filter(({ time }) => time === stuck!.time).length, 2);
  });
});
