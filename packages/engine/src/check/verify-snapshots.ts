import { isComebackError, type OperationOptions } from "@comeback/core";
import { parseKeyFile } from "../crypto/key-file.ts";
import { loadNamed } from "../repository/load-named.ts";
import { eachConcurrently, type Repository } from "../repository/repository.ts";
import { bySnapshotTime, loadSnapshot } from "../repository/snapshots.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { type ProblemLog, whyUnusable } from "./problem-log.ts";

/** Reads all key files; without the passwords of the others only their form can be checked. */
export async function verifyKeys(
  { backend }: Repository,
  log: ProblemLog,
  options: OperationOptions,
): Promise<void> {
  for await (const { name } of backend.list("key", options)) {
    try {
      const { data } = await loadNamed(backend, { type: "key", name }, options);
      parseKeyFile(data, name);
    } catch (error) {
      // Removed since it was listed.
      if (isComebackError(error, "backend.not-found")) continue;
      const why = await whyUnusable(error, backend, options);
      log.addFile("key", { type: "key", name }, [why]);
    }
  }
}

/** Loads all snapshots, oldest first. Damaged ones are reported. */
export async function verifySnapshots(
  repository: Repository,
  log: ProblemLog,
  options: OperationOptions,
): Promise<Snapshot[]> {
  const { backend } = repository;
  const names: string[] = [];
  for await (const { name } of backend.list("snapshot", options)) names.push(name);
  const snapshots: Snapshot[] = [];
  await eachConcurrently(names, backend.connections, async (name) => {
    try {
      snapshots.push(await loadSnapshot(repository, name, options));
    } catch (error) {
      // Forgotten since it was listed.
      if (isComebackError(error, "backend.not-found")) return;
      const why = await whyUnusable(error, backend, options);
      log.addFile("snapshot", { type: "snapshot", name }, [why]);
    }
  });
  return snapshots.sort(bySnapshotTime);
}
