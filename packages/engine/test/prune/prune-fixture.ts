import assert from "node:assert/strict";
import type { Backend } from "@comeback/core";
import { SeededRandom, SimulatedClock } from "@comeback/testkit";
import { check } from "../../src/check/check.ts";
import type { CheckResult } from "../../src/check/check-options.ts";
import { executePrune } from "../../src/prune/execute.ts";
import { planPrune } from "../../src/prune/plan.ts";
import type { PruneOptions, PrunePlan, PruneResult } from "../../src/prune/prune-options.ts";
import { readFile } from "../../src/listing/read-file.ts";
import { walkSnapshot } from "../../src/listing/walk-snapshot.ts";
import { Repository } from "../../src/repository/repository.ts";
import { listSnapshots } from "../../src/repository/snapshots.ts";
import { TEST_PASSWORD } from "../repository-builder.ts";

export const HOUR_MS = 3_600_000;
export const START_MS: number = new SimulatedClock().now();

/** Two processes never draw the same random numbers. */
let opened = 0;

/** Opens a repository as another process does, at a time of its own. */
export async function openAt(backend: Backend, nowMs: number): Promise<Repository> {
  return Repository.open({
    backend,
    password: TEST_PASSWORD,
    clock: new SimulatedClock(nowMs),
    random: new SeededRandom(100 + opened++),
    // Small, so that a few blobs are several packs.
    packSizeBytes: 4 * 1024 * 1024,
  });
}

export interface Pruned {
  readonly plan: PrunePlan;
  readonly result: PruneResult;
}

/** Plans and executes in one go. */
export async function pruneAt(
  backend: Backend,
  nowMs: number,
  options: Partial<PruneOptions> = {},
): Promise<Pruned> {
  const repository = await openAt(backend, nowMs);
  const maxUnused = { kind: "size", sizeBytes: 0 } as const;
  const prepared = await planPrune({ repository, workers: 1, maxUnused, ...options });
  return { plan: prepared.plan, result: await executePrune(prepared) };
}

export async function checkAll(backend: Backend): Promise<CheckResult> {
  const repository = await openAt(backend, START_MS);
  return check({ repository, readData: { kind: "all" }, workers: 1 });
}

/** Nothing is damaged or missing, and every file of every snapshot can be read. */
export async function assertWhole(backend: Backend, what: string): Promise<void> {
  const { problems } = await checkAll(backend);
  assert.deepEqual(problems, [], what);
  await contents(backend);
}

/** Every file of every snapshot, by snapshot and path. */
export async function contents(backend: Backend): Promise<Map<string, string>> {
  const repository = await openAt(backend, START_MS);
  await repository.loadIndex({ includeMarked: true });
  const files = new Map<string, string>();
  for (const { id, tree } of await listSnapshots(repository)) {
    for await (const { path, node } of walkSnapshot(repository, tree)) {
      if (node.type !== "file") continue;
      const parts = await Array.fromAsync(readFile(repository, node));
      files.set(`${id.slice(0, 8)}${path}`, Buffer.concat(parts).toString("hex").slice(0, 40));
    }
  }
  return files;
}

export async function names(backend: Backend, type: "pack" | "index"): Promise<string[]> {
  const found = await Array.fromAsync(backend.list(type), ({ name }) => name);
  return found.toSorted();
}
