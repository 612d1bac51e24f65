import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { check, type CheckProblem } from "@comeback/engine";
import { runTasksInThisThread } from "@comeback/engine/internal";
import { systemRandom } from "@comeback/platform";
import { Client } from "./client.ts";
import { contentsOf, type SavedFiles } from "./repair-all.ts";
import { assertSameTree } from "./same-tree.ts";
import { type MadeSnapshot, openFolder } from "./small-history.ts";
import { RESTIC_018 } from "./tools.ts";

/** Everything is read, in this process: quick enough to be asked after every kill. */
export async function problemsIn(folder: string, password?: string): Promise<CheckProblem[]> {
  using _ = runTasksInThisThread(systemRandom);
  await using repository = await openFolder(folder, password);
  return [...(await check({ repository, readData: { kind: "all" }, workers: 1 })).problems];
}

/** Every byte of every snapshot, as whoever knows of no marked packs finds it. */
export async function readSnapshots(
  folder: string,
  password?: string,
): Promise<SavedFiles["snapshots"]> {
  await using repository = await openFolder(folder, password);
  return (await contentsOf(repository)).snapshots;
}

/** Nothing is damaged, and the snapshots are those expected, with all of their contents. */
export async function assertHolds(
  folder: string,
  expected: SavedFiles["snapshots"],
  password?: string,
): Promise<void> {
  assert.deepEqual(await problemsIn(folder, password), []);
  assert.deepEqual(await readSnapshots(folder, password), expected);
}

/** restic clears the locks of the dead, finds nothing wrong, and restores a snapshot. */
export async function assertResticHolds(
  folder: string,
  snapshot?: MadeSnapshot & { readonly source: string; readonly target: string },
  password?: string,
): Promise<void> {
  const restic = new Client(RESTIC_018, folder, password);
  await restic.done(["unlock"]);
  await restic.done(["check", "--read-data"]);
  if (snapshot === undefined) return;
  const { id, source, copy, target } = snapshot;
  await restic.restore(`${id}:${source}`, target);
  assertSameTree(copy, target, { tops: false });
  rmSync(target, { recursive: true });
}
