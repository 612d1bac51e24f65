import type { ListedFile } from "@comeback/core";
import { SeededRandom } from "@comeback/testkit";
import { check } from "../../src/check/check.ts";
import { runTasksInThisThread } from "../../src/cpu-pool/in-this-thread.ts";
import type { CheckResult } from "../../src/check/check-options.ts";
import {
  planIndexRepair,
  type PlanIndexRepairOptions,
} from "../../src/repair/index-repair-plan.ts";
import { planPackRepair } from "../../src/repair/pack-repair-plan.ts";
import { type IndexRepairResult, repairIndex } from "../../src/repair/repair-index.ts";
import { type PackRepairResult, repairPacks } from "../../src/repair/repair-packs.ts";
import {
  dataBlob,
  fileNode,
  folderNode,
  RepositoryBuilder,
  treeBlob,
} from "../repository-builder.ts";
import type { LooseBlob } from "../repository-builder.ts";

export interface Sample {
  readonly builder: RepositoryBuilder;
  readonly blobs: Record<"a" | "b" | "c", LooseBlob>;
  readonly inner: LooseBlob;
  readonly root: LooseBlob;
  readonly dataPacks: readonly string[];
  readonly treePack: string;
  readonly indexes: readonly string[];
  readonly snapshot: string;
}

/** /one and /folder/{three,two}; two packs of data and one of trees, two index files. */
export async function makeSample(): Promise<Sample> {
  const builder = await RepositoryBuilder.create();
  const blobs = { a: dataBlob("content a"), b: dataBlob("b".repeat(500)), c: dataBlob("cc") };
  const inner = treeBlob([fileNode("three", blobs.c), fileNode("two", blobs.b, blobs.a)]);
  const root = treeBlob([folderNode("folder", inner), fileNode("one", blobs.a)]);
  const data = [await builder.pack(blobs.a), await builder.pack(blobs.b, blobs.c)];
  const trees = await builder.pack(inner, root);
  const indexes = [await builder.index(...data), await builder.index(trees)];
  const { id: snapshot } = await builder.snapshot(root);
  const dataPacks = data.map(({ id }) => id);
  return { builder, blobs, inner, root, dataPacks, treePack: trees.id, indexes, snapshot };
}

export async function checkAll({ repository }: RepositoryBuilder): Promise<CheckResult> {
  using _ = runTasksInThisThread(new SeededRandom(7));
  return await check({ repository, readData: { kind: "all" }, workers: 1 });
}

/** What is still wrong, by kind. */
export async function problems(builder: RepositoryBuilder): Promise<string[]> {
  return (await checkAll(builder)).problems.map(({ kind }) => kind).sort();
}

export async function runRepairIndex(
  { repository }: RepositoryBuilder,
  options: Partial<PlanIndexRepairOptions> = {},
): Promise<IndexRepairResult> {
  const plan = await planIndexRepair({ repository, ...options });
  return repairIndex({ repository, plan });
}

/** Repairs these packs; what was kept of them goes into `kept`. */
export async function runRepairPacks(
  { repository }: RepositoryBuilder,
  packs: readonly string[],
  kept: Map<string, Uint8Array> = new Map(),
): Promise<PackRepairResult> {
  await repository.loadIndex();
  const plan = await planPackRepair({ repository, packs });
  const keep = async (id: string, data: Uint8Array): Promise<void> => {
    kept.set(id, data.slice());
  };
  return repairPacks({ repository, plan, keep });
}

export async function listed(
  { backend }: RepositoryBuilder,
  type: "pack" | "index" | "snapshot",
): Promise<string[]> {
  const files: ListedFile[] = [];
  for await (const file of backend.list(type)) files.push(file);
  return files.map(({ name }) => name).sort();
}
