import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FaultyBackend } from "@comeback/testkit";
import { listSnapshots, loadSnapshot } from "../../src/repository/snapshots.ts";
import { replaceSnapshot } from "../../src/snapshot/replace-snapshot.ts";
import { RepositoryBuilder, treeBlob } from "../repository-builder.ts";

const TREE = treeBlob([]);

describe("a replaced snapshot", () => {
  it("has a new id, the first one as its original, and all that was not changed", async () => {
    await using builder = await RepositoryBuilder.create();
    const { repository } = builder;
    const json =
      `{"time":"2026-01-02T03:04:05.123456789+02:00","parent":"${TREE.id}","tree":"${TREE.id}",` +
      `"paths":["/a"],"hostname":"h","label":"rustic","summary":{"files_new":1,"command":"x"}}`;
    const first = await repository.saveUnpacked("snapshot", Buffer.from(json));
    const old = await loadSnapshot(repository, first);

    const second = await replaceSnapshot(repository, old, { tags: ["new"] });
    assert.notEqual(second.id, first);
    const stored = await repository.loadUnpacked("snapshot", second.id);
    assert.deepEqual(JSON.parse(Buffer.from(stored).toString()), {
      ...JSON.parse(json),
      tags: ["new"],
      original: first,
    });

    const third = await replaceSnapshot(repository, second, { hostname: "g", tags: undefined });
    assert.deepEqual(await listSnapshots(repository), [
      { ...JSON.parse(json), hostname: "g", original: first, id: third.id },
    ]);
  });

  it("has the original that it is given, as a rewritten one does", async () => {
    await using builder = await RepositoryBuilder.create();
    const old = await builder.snapshot(TREE, { original: "0".repeat(64) });
    const { original } = await replaceSnapshot(builder.repository, old, { original: old.id });
    assert.equal(original, old.id);
  });

  it("is saved before the old one goes: a fault leaves the old one, or both", async () => {
    for (const [method, left] of [
      ["save", ["old"]],
      ["remove", ["new", "old"]],
    ] as const) {
      await using builder = await RepositoryBuilder.create();
      const old = await builder.snapshot(TREE, { tags: ["old"] });
      const faulty = new FaultyBackend(builder.backend.sharing());
      await using repository = await builder.reopen(faulty);
      faulty.stage({ method, type: "snapshot", fault: { kind: "error" } });
      await assert.rejects(replaceSnapshot(repository, old, { tags: ["new"] }), {
        code: "backend.io",
      });
      const tags = (await listSnapshots(builder.repository)).flatMap((found) => found.tags ?? []);
      assert.deepEqual(tags.sort(), left);
    }
  });
});
