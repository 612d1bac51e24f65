import type { OperationOptions } from "@comeback/core";
import type { Repository } from "../repository/repository.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { BlobsPerFile, NodeCounter, RestoreSize, UniqueFiles } from "./node-counters.ts";
import { RawData } from "./raw-data.ts";
import type { RepositoryStats, StatsCounter, StatsMode } from "./stats-types.ts";

export interface StatsOptions extends OperationOptions {
  /** Open, with its index loaded. */
  readonly repository: Repository;
  readonly snapshots: readonly Snapshot[];
  /** Default: restore-size. */
  readonly mode?: StatsMode;
  /** Told of each snapshot before it is read. */
  onSnapshot?(snapshot: Snapshot, number: number): void;
}

/** Counts files, blobs and bytes of snapshots in the four ways that restic knows. */
export async function computeStats(options: StatsOptions): Promise<RepositoryStats> {
  const { repository, snapshots, mode = "restore-size" } = options;
  const counter = counterFor(mode, repository);
  for (const [i, snapshot] of snapshots.entries()) {
    options.onSnapshot?.(snapshot, i + 1);
    await counter.addSnapshot(snapshot, options);
  }
  const { total_size, ...others } = counter.result();
  const present = Object.entries(others).filter(([, value]) => value !== 0);
  return { total_size, ...Object.fromEntries(present), snapshots_count: snapshots.length };
}

function counterFor(mode: StatsMode, repository: Repository): StatsCounter {
  switch (mode) {
    case "restore-size":
      return new NodeCounter(repository, new RestoreSize());
    case "files-by-contents":
      return new NodeCounter(repository, new UniqueFiles());
    case "blobs-per-file":
      return new NodeCounter(repository, new BlobsPerFile(repository));
    case "raw-data":
      return new RawData(repository);
  }
}
