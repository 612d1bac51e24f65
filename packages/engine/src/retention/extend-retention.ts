import { ComebackError, messageOf } from "@comeback/core";
import type { BackendRetention, FileType, OperationOptions, RepositoryFile } from "@comeback/core";
import { CpuPool } from "../cpu-pool/cpu-pool.ts";
import { workerSetup } from "../cpu-pool/worker-setup.ts";
import { findUsedBlobs } from "../prune/find-used.ts";
import { eachConcurrently } from "../repository/repository.ts";
import type { Repository } from "../repository/repository.ts";
import type {
  ExtendRetentionOptions,
  PlanRetentionOptions,
  RetentionPlan,
  RetentionResult,
} from "./retention-options.ts";

/**
 * Finds what snapshots still need: their own files, the packs of their trees and contents, and
 * what opens the repository at all (config, keys, index). Fails where anything of it is missing.
 */
export async function planRetention(options: PlanRetentionOptions): Promise<RetentionPlan> {
  const { repository, snapshots, signal, workers } = options;
  retentionOf(repository);
  const packs = new Set<string>();
  {
    const { table, packIds } = repository.index;
    await using pool = new CpuPool({
      setup: workerSetup(repository, table.shared),
      ...(workers === undefined ? {} : { workers }),
    });
    const used = await findUsedBlobs({ repository, pool, snapshots, signal });
    for (let entry = 0; entry < table.count; entry++) {
      if (used.has(entry)) packs.add(packIds[table.packOf(entry)] as string);
    }
  }
  const files: RepositoryFile[] = [
    { type: "config", name: "" },
    ...(await listed(repository, "key", { signal })),
    ...(await listed(repository, "index", { signal })),
    ...snapshots.map(({ id }) => ({ type: "snapshot", name: id }) as const),
    ...[...packs].map((name) => ({ type: "pack", name }) as const),
  ];
  return { files, snapshots: snapshots.length, packs: packs.size };
}

/** Extends each file by itself: one that fails does not keep the others. */
export async function extendRetention(
  repository: Repository,
  plan: RetentionPlan,
  options: ExtendRetentionOptions,
): Promise<RetentionResult> {
  const { signal, untilMs } = options;
  const retention = retentionOf(repository);
  const failed: { file: RepositoryFile; message: string }[] = [];
  let extended = 0;
  await eachConcurrently(plan.files, repository.backend.connections, async (file) => {
    signal?.throwIfAborted();
    try {
      await retention.extend(file, untilMs, { signal });
      extended++;
      options.onExtended?.(extended);
    } catch (error) {
      signal?.throwIfAborted();
      failed.push({ file, message: messageOf(error) });
    }
  });
  return { extended, failed };
}

/** The part of the store that locks; fails where it has none. */
export function retentionOf({ backend }: Pick<Repository, "backend">): BackendRetention {
  if (backend.retention !== undefined) return backend.retention;
  throw new ComebackError("option.invalid", `nothing locks files in ${backend.location}`, {
    next: "for an object store with Object Lock name it: -o s3.object-lock=governance:30",
  });
}

async function listed(
  { backend }: Repository,
  type: FileType,
  options: OperationOptions,
): Promise<RepositoryFile[]> {
  const files: RepositoryFile[] = [];
  for await (const { name } of backend.list(type, options)) files.push({ type, name });
  return files;
}
