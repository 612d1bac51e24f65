import { ComebackError, displayText } from "@comeback/core";
import { type Repository, type Snapshot, walkSnapshot } from "@comeback/engine";

/**
 * Reads a snapshot back as a restore would find it: its file, every tree, and that the index knows
 * every piece of every file. The pieces themselves are not read: `check` does that.
 */
export async function verifySnapshot(
  repository: Repository,
  snapshot: Snapshot,
  signal: AbortSignal,
): Promise<{ readonly files: number; readonly folders: number }> {
  const index = await repository.loadIndex({ includeMarked: true, signal });
  const stored = await repository.loadUnpacked("snapshot", snapshot.id, { signal });
  if (stored.length === 0) throw incomplete(snapshot, "its file is empty");
  let [files, folders] = [0, 0];
  for await (const { node, path } of walkSnapshot(repository, snapshot.tree, { signal })) {
    if (node.type === "dir") folders++;
    if (node.type !== "file") continue;
    files++;
    const lost = node.content?.find((id) => !index.has("data", id));
    if (lost !== undefined) {
      throw incomplete(snapshot, `a piece of ${displayText(path)} is not stored`);
    }
  }
  return { files, folders };
}

function incomplete({ id }: Snapshot, why: string): ComebackError {
  return new ComebackError("check.failed", `snapshot ${id.slice(0, 8)} is not whole`, {
    why,
    next: "run `comeback check --read-data`, and the plan once more with `--type full`",
  });
}
