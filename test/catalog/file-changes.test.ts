import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { localBackendFactory } from "@comeback/backend-local";
import { openCatalog } from "@comeback/catalog";
import { loadSnapshot, Repository } from "@comeback/engine";
import { recordSnapshotFiles } from "@comeback/operations";
import { systemClock, systemRandom } from "@comeback/platform";
import { Client, PASSWORD } from "../drivers/client.ts";
import { scratchFolder } from "../drivers/scratch.ts";
import { COMEBACK } from "../drivers/tools.ts";

const folder = scratchFolder("file-history");
const PLACE = { plan: "shop", source: "content" } as const;

async function openRepository(location: string): Promise<Repository> {
  const repository = await Repository.open({
    backend: await localBackendFactory.open(location),
    password: PASSWORD,
    clock: systemClock,
    random: systemRandom,
  });
  await repository.loadIndex();
  return repository;
}

test("the file history of real backups, also where the one before was removed", async () => {
  const client = new Client(COMEBACK, join(folder, "repository"));
  await client.done(["init"]);
  const { signal } = new AbortController();
  const store = await openCatalog(join(folder, "catalog.sqlite"), {
    host: "web1",
    clock: systemClock,
    signal,
  });
  await using _ = store;
  const source = join(folder, "source");
  mkdirSync(source);
  const ids: string[] = [];
  const backup = async (): Promise<void> => {
    const { snapshot_id: id } = await client.backup([source]);
    ids.push(id);
    await using repository = await openRepository(client.repository);
    const snapshot = await loadSnapshot(repository, id);
    const record = { ...PLACE, atMs: Date.parse(snapshot.time) };
    await recordSnapshotFiles({ store, repository, snapshot, record });
  };
  const versions = async (name: string): Promise<(readonly [number, number, number])[]> => {
    const found = await store.listFileVersions(PLACE.plan, PLACE.source, join(source, name));
    return found.map(({ sizeBytes, firstSnapshotId, lastSnapshotId }) => {
      return [sizeBytes, ids.indexOf(firstSnapshotId), ids.indexOf(lastSnapshotId)];
    });
  };
  writeFileSync(join(source, "stays"), "1");
  writeFileSync(join(source, "changes"), "1");
  writeFileSync(join(source, "goes"), "1");
  await backup();
  writeFileSync(join(source, "changes"), "22");
  rmSync(join(source, "goes"));
  await backup();
  await backup();
  assert.deepEqual(await versions("stays"), [[1, 0, 2]]);
  assert.deepEqual(await versions("changes"), [
    [2, 1, 2],
    [1, 0, 0],
  ]);
  assert.deepEqual(await versions("goes"), [[1, 0, 0]]);

  await client.done(["forget", ids[2] ?? ""]);
  writeFileSync(join(source, "goes"), "333");
  rmSync(join(source, "changes"));
  await backup();
  assert.deepEqual(await versions("stays"), [[1, 0, 3]]);
  assert.deepEqual(await versions("changes"), [
    [2, 1, 2],
    [1, 0, 0],
  ]);
  assert.deepEqual(await versions("goes"), [
    [3, 3, 3],
    [1, 0, 0],
  ]);
});
