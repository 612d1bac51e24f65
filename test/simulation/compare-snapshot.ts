import assert from "node:assert/strict";
import { readFile, type Repository, type Snapshot, walkSnapshot } from "@comeback/engine";
import { contentOf, type FileModel } from "./file-model.ts";

/**
 * Reads a whole snapshot, and fails where anything in it is not as the model has it. Without a model
 * it must be readable.
 */
export async function compareSnapshot(
  repository: Repository,
  snapshot: Snapshot,
  model: FileModel | undefined,
): Promise<void> {
  const paths = new Set<string>();
  for await (const { path, node } of walkSnapshot(repository, snapshot.tree)) {
    if (node.type === "dir") continue;
    const pieces: Uint8Array[] = [];
    for await (const piece of readFile(repository, node)) pieces.push(piece);
    if (model === undefined) continue;
    const number = model.get(path.slice(1));
    assert.notEqual(number, undefined, `${path} was not in the source`);
    const isSame = Buffer.concat(pieces).equals(contentOf(number as number));
    assert.ok(isSame, `${path} comes back as it was`);
    paths.add(path.slice(1));
  }
  const missing = [...(model?.keys() ?? [])].filter((path) => !paths.has(path));
  assert.deepEqual(missing, [], "every file of the source is in the snapshot");
}
