import { availableParallelism } from "node:os";
import type { Repository } from "../repository/repository.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { copy } from "./copy.ts";
import type { CopyObserver, CopyResult } from "./copy-options.ts";

/** A repository that is open and locked; its index is not loaded yet. */
export interface CopyTarget {
  readonly repository: Repository;
  /** Resolves when it may be written. */
  readonly mayWrite: Promise<void>;
  /** Aborts when its lock is lost. */
  readonly signal: AbortSignal;
}

export interface CopyDestination {
  /** Resolves to the open repository; whoever opened it also closes it. */
  open(): Promise<CopyTarget>;
  readonly observer?: CopyObserver;
  /** Told as soon as this one has ended, whatever the others do. */
  onSettled?(outcome: PromiseSettledResult<CopyResult>): void;
}

export interface CopyToSeveralOptions {
  /** Open, with its index loaded and a lock held by the caller. */
  readonly source: Repository;
  readonly snapshots: readonly Snapshot[];
  readonly destinations: readonly CopyDestination[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Copies the same snapshots into several repositories side by side. None waits for another, and none
 * fails because another does: each has its own outcome. Only an abort ends them all.
 */
export async function copyToSeveral(
  options: CopyToSeveralOptions,
): Promise<PromiseSettledResult<CopyResult>[]> {
  const { destinations, signal } = options;
  const workers = Math.max(1, Math.floor(availableParallelism() / destinations.length));
  const copies = destinations.map(async (destination) => {
    const [outcome] = await Promise.allSettled([copyToOne(options, destination, workers)]);
    signal?.throwIfAborted();
    destination.onSettled?.(outcome);
    return outcome;
  });
  // All have to be over before anybody closes the source, also after an abort.
  const outcomes = await Promise.allSettled(copies);
  return outcomes.map((outcome) => {
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  });
}

async function copyToOne(
  { source, snapshots, signal }: CopyToSeveralOptions,
  { open, observer }: CopyDestination,
  workers: number,
): Promise<CopyResult> {
  const target = await open();
  const either = AbortSignal.any([target.signal, ...(signal === undefined ? [] : [signal])]);
  await target.repository.loadIndex({ signal: either });
  return copy({
    source,
    target: target.repository,
    snapshots,
    workers,
    mayWrite: target.mayWrite,
    signal: either,
    ...(observer === undefined ? {} : { observer }),
  });
}
