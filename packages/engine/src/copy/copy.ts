import { COPY_BATCH_PACKS, COPY_SNAPSHOTS_AT_ONCE_MAX } from "@comeback/core";
import { PackStore } from "../archive/pack-store.ts";
import { CpuPool } from "../cpu-pool/cpu-pool.ts";
import { workerSetup } from "../cpu-pool/worker-setup.ts";
import { listSnapshots, saveSnapshot } from "../repository/snapshots.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { CopyOptions, CopyOutcome, CopyProgress, CopyResult } from "./copy-options.ts";
import { ExistingCopies } from "./find-copies.ts";
import { LostBlobs } from "./lost-blobs.ts";
import { PieceReader } from "./read-pieces.ts";
import { SourceTrees } from "./source-trees.ts";
import { BlobCopier } from "./store-blobs.ts";
import { BATCHES_MAX, WantedBlobs } from "./wanted-blobs.ts";

/**
 * Copies snapshots from one repository into another: what the target lacks of their trees and
 * contents, read pack by pack, and each snapshot once all of it is there. Trees and contents keep
 * their ids. What of the source is damaged is named, the snapshots that need it are not copied, and
 * all others are.
 */
export async function copy(options: CopyOptions): Promise<CopyResult> {
  const run = new CopyRun(options);
  return run.execute();
}

/** Snapshots that are copied together, so that each pack of the source is read once for all. */
interface Batch {
  readonly number: number;
  readonly snapshots: Snapshot[];
  bytes: number;
}

class CopyRun {
  readonly #options: CopyOptions;
  readonly #abort = new AbortController();
  readonly #signal: AbortSignal;
  readonly #progress: CopyProgress;
  readonly #pool: CpuPool;
  readonly #packStore: PackStore;
  readonly #wanted: WantedBlobs;
  readonly #lost: LostBlobs;
  readonly #trees: SourceTrees;
  readonly #blobs: BlobCopier;
  readonly #outcomes: CopyOutcome[] = [];
  /** The batch whose trees are being read. */
  #batch: Batch = { number: 1, snapshots: [], bytes: 0 };

  constructor(options: CopyOptions) {
    const { source, target, snapshots, observer, workers, recompress = false } = options;
    this.#options = options;
    const signals = options.signal === undefined ? [] : [options.signal];
    const signal = AbortSignal.any([this.#abort.signal, ...signals]);
    this.#signal = signal;
    const progress = startProgress(snapshots.length);
    this.#progress = progress;
    observer?.onStart?.(progress);
    const { table } = source.index;
    const pool = new CpuPool({
      setup: {
        ...workerSetup(target, target.index.table.shared),
        source: { key: source.key, table: table.shared },
      },
      ...(workers === undefined ? {} : { workers }),
    });
    this.#pool = pool;
    const packStore = new PackStore({
      repository: target,
      dryRun: false,
      mayWrite: options.mayWrite ?? Promise.resolve(),
      signal,
      onStored: (bytes) => (progress.bytesStored += bytes),
    });
    this.#packStore = packStore;
    const wanted = new WantedBlobs(table, target.index.table);
    this.#wanted = wanted;
    const lost = new LostBlobs(table, progress, observer);
    this.#lost = lost;
    const reader = new PieceReader({ backend: source.backend, workers: pool.size, signal });
    const common = { source, lost, reader, pool, signal };
    this.#trees = new SourceTrees({
      ...common,
      wanted,
      onWanted: (blobs, bytes) => {
        progress.blobsTotal += blobs;
        progress.bytesTotal += bytes;
        this.#batch.bytes += bytes;
      },
    });
    this.#blobs = new BlobCopier({ ...common, target, recompress, packStore, progress });
  }

  async execute(): Promise<CopyResult> {
    try {
      await this.#copy();
      this.#progress.phase = "done";
      return this.#result();
    } catch (error) {
      this.#abort.abort(error);
      // First the threads: what they still do would be stored behind our back.
      await this.#pool[Symbol.asyncDispose]();
      await this.#packStore.salvage();
      throw error;
    } finally {
      await this.#pool[Symbol.asyncDispose]();
    }
  }

  async #copy(): Promise<void> {
    const wanted = await this.#skipExisting();
    if (wanted.length === 0) return;
    const batches = await this.#plan(wanted);
    const { bytesTotal: bytes } = this.#progress;
    this.#options.observer?.onPlan?.({ snapshots: wanted.length, bytes });
    if (this.#options.dryRun === true) {
      for (const { snapshots } of batches) await this.#conclude(snapshots);
      return;
    }
    this.#progress.phase = "blobs";
    const entries = this.#wanted.byBatch(batches.length);
    for (const [place, { snapshots }] of batches.entries()) {
      await this.#blobs.copy(entries[place] as Uint32Array);
      await this.#conclude(snapshots);
    }
  }

  /** The snapshots that the target does not have. */
  async #skipExisting(): Promise<Snapshot[]> {
    const { target, snapshots } = this.#options;
    const existing = new ExistingCopies(await listSnapshots(target, {}, { signal: this.#signal }));
    return snapshots.filter((snapshot) => {
      const found = existing.find(snapshot);
      if (found !== undefined) this.#report({ snapshot, action: "skipped", copy: found });
      return found === undefined;
    });
  }

  /**
   * Reads all trees, and forms batches. The first groups are small: the first snapshots have the most
   * to copy, and an interrupted copy should have something to show.
   */
  async #plan(snapshots: readonly Snapshot[]): Promise<Batch[]> {
    const batches: Batch[] = [];
    const enoughBytes = COPY_BATCH_PACKS * this.#options.target.packSizeBytes;
    let atOnce = 1;
    for (let next = 0; next < snapshots.length;) {
      const group = snapshots.slice(next, next + atOnce);
      next += group.length;
      atOnce = Math.min(2 * atOnce, COPY_SNAPSHOTS_AT_ONCE_MAX);
      const batch = this.#batch;
      batch.snapshots.push(...group);
      await this.#trees.walk(this.#rootsOf(group), batch.number);
      const isFull = batch.bytes >= enoughBytes && batch.number < BATCHES_MAX;
      if (!isFull && next < snapshots.length) continue;
      batches.push(batch);
      this.#batch = { number: batch.number + 1, snapshots: [], bytes: 0 };
    }
    return batches;
  }

  #rootsOf(snapshots: readonly Snapshot[]): number[] {
    return snapshots.map((one) => this.#trees.rootOf(one)).filter((root) => root >= 0);
  }

  /** Saves the snapshots of a batch whose blobs are all there now. */
  async #conclude(snapshots: readonly Snapshot[]): Promise<void> {
    const { target, dryRun, mayWrite } = this.#options;
    const broken = await this.#trees.findBroken(this.#rootsOf(snapshots));
    for (const snapshot of snapshots) {
      const root = this.#trees.rootOf(snapshot);
      if (root < 0) this.#lost.addRootless(snapshot.id, snapshot.tree);
      if (root < 0 || broken.has(root)) {
        this.#report({ snapshot, action: "failed" });
      } else if (dryRun === true) {
        this.#report({ snapshot, action: "planned" });
      } else {
        await mayWrite;
        // As restic: the parent means nothing elsewhere, and `original` tells copies of one snapshot.
        const { parent: _, ...fields } = snapshot;
        const file = { ...fields, original: snapshot.original ?? snapshot.id };
        const copied = await saveSnapshot(target, file, { signal: this.#signal });
        this.#report({ snapshot, action: "copied", copy: copied });
      }
    }
  }

  #report(outcome: CopyOutcome): void {
    this.#outcomes.push(outcome);
    this.#progress.snapshotsDone++;
    this.#options.observer?.onSnapshot?.(outcome);
  }

  #result(): CopyResult {
    const { source, target } = this.#options;
    const count = (action: CopyOutcome["action"]): number =>
      this.#outcomes.filter((outcome) => outcome.action === action).length;
    const { problems, problemCount } = this.#lost;
    const { dataBlobs, treeBlobs, bytesRead } = this.#blobs;
    return {
      outcomes: this.#outcomes,
      copied: count("copied"),
      skipped: count("skipped"),
      failed: count("failed"),
      dataBlobs,
      treeBlobs,
      bytesRead,
      bytesStored: this.#progress.bytesStored,
      problems,
      problemCount,
      sameChunker: source.config.chunkerPolynomial === target.config.chunkerPolynomial,
    };
  }
}

function startProgress(snapshotsTotal: number): CopyProgress {
  return {
    phase: "trees",
    snapshotsDone: 0,
    snapshotsTotal,
    blobsDone: 0,
    blobsTotal: 0,
    bytesDone: 0,
    bytesTotal: 0,
    bytesStored: 0,
    problems: 0,
  };
}
