import { localBackendFactory } from "@comeback/backend-local";
import { eachConcurrently, Repository, saveSnapshot, type SnapshotFile } from "@comeback/engine";
import { systemClock, systemRandom } from "@comeback/platform";
import { PASSWORD } from "./client.ts";

/** Writes snapshots as they are given, without any backup; resolves to their ids. */
export async function writeSnapshots(
  folder: string,
  files: readonly SnapshotFile[],
): Promise<string[]> {
  const backend = await localBackendFactory.open(folder);
  await using repository = await Repository.open({
    backend,
    password: PASSWORD,
    clock: systemClock,
    random: systemRandom,
  });
  const ids: string[] = [];
  await eachConcurrently(files, backend.connections, async (file) => {
    ids.push((await saveSnapshot(repository, file)).id);
  });
  return ids;
}
