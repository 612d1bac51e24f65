import assert from "node:assert/strict";
import { test } from "node:test";
import { FaultyBackend } from "@comeback/testkit";
import { loadSnapshot } from "../../src/repository/snapshots.ts";
import { dataBlob, fileNode, RepositoryBuilder, treeBlob } from "../repository-builder.ts";

const TYPES = ["key", "index", "snapshot", "pack"] as const;

/** A repository with one of everything, behind whatever is done to it. */
async function makeRepository(builder: RepositoryBuilder): Promise<{
  readonly snapshotId: string;
  readonly blobs: readonly [data: string, tree: string];
}> {
  const content = dataBlob("what is in the file");
  const tree = treeBlob([fileNode("file", content)]);
  await builder.index(await builder.pack(content), await builder.pack(tree));
  const { id } = await builder.snapshot(tree);
  return { snapshotId: id, blobs: [content.id, tree.id] };
}

async function readAll(
  builder: RepositoryBuilder,
  backend: FaultyBackend,
  made: Awaited<ReturnType<typeof makeRepository>>,
): Promise<void> {
  const { snapshotId, blobs } = made;
  const repository = await builder.reopen(backend);
  await repository.loadIndex();
  await loadSnapshot(repository, snapshotId, {});
  const data = await repository.loadBlob("data", blobs[0]);
  assert.equal(Buffer.from(data).toString(), "what is in the file");
  await repository.loadBlob("tree", blobs[1]);
}

test("what comes with another bit is read once more", async () => {
  await using builder = await RepositoryBuilder.create();
  const made = await makeRepository(builder);
  for (const type of TYPES) {
    const backend = new FaultyBackend(builder.backend.sharing());
    // Of packs the first and, after its second reading, the next one.
    for (const when of type === "pack" ? [1, 3] : [1]) {
      backend.stage({ method: "load", type, when, fault: { kind: "flip", atByte: 10 } });
    }
    await readAll(builder, backend, made);
    const loads = backend.calls.filter((call) => call.method === "load" && call.type === type);
    assert.equal(loads.length, type === "pack" ? 4 : 2, type);
  }
});

test("what comes with another bit every time is damaged", async () => {
  await using builder = await RepositoryBuilder.create();
  const made = await makeRepository(builder);
  for (const type of TYPES) {
    const backend = new FaultyBackend(builder.backend.sharing());
    backend.stage({ method: "load", type, when: "always", fault: { kind: "flip", atByte: 10 } });
    await assert.rejects(readAll(builder, backend, made), { code: "repository.damaged" }, type);
  }
});
