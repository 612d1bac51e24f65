import {
  CHECKPOINT_AT_END_MAX_ENTRIES,
  CHECKPOINT_COST_RATIO,
  CHECKPOINT_INTERVAL_MS,
} from "@comeback/core";
import { instantOfMilliseconds } from "../repository/instant.ts";
import type { FinishedPack } from "../pack/packer.ts";
import type { Repository } from "../repository/repository.ts";
import { formatTime } from "../tree/time-text.ts";
import type { CheckpointOptions } from "./backup-options.ts";
import { encodeCheckpoint } from "./checkpoint.ts";
import type { PackStore } from "./pack-store.ts";
import type { ProgressMeter } from "./progress-meter.ts";
import type { TreeBuilder } from "./tree-builder.ts";

export interface CheckpointerOptions {
  readonly repository: Repository;
  readonly checkpoint: CheckpointOptions;
  readonly hostname: string;
  readonly paths: readonly string[];
  readonly trees: TreeBuilder;
  readonly packStore: PackStore;
  readonly meter: ProgressMeter;
}

/**
 * Notes now and then how far a running backup has come, and once more when it is interrupted. The
 * walk goes on meanwhile: only the trees of folders that are still open are made on the spot.
 */
export class Checkpointer {
  readonly #options: CheckpointerOptions;
  readonly #stop = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #failure: unknown;
  /** Of the last one: files read by then, bytes of its trees, and bytes done by then. */
  #filesRead = 0;
  #lastBytes = 0;
  #lastAtBytes = 0;

  constructor(options: CheckpointerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop = this.#run().catch((error: unknown) => {
      if (error !== this.#stop.signal.reason) this.#failure = error;
    });
  }

  /** Takes no further one, and waits for the one under way. A failure is the backup's, too. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** The backup has ended well: there is nothing to go on with. */
  async remove(): Promise<void> {
    await this.#options.checkpoint.store.remove();
  }

  /**
   * After a failure or an interruption: does what can be done at once, and never throws. Nothing is
   * written where nothing was before: the lock may not have been confirmed.
   */
  async salvage(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    const { trees, packStore } = this.#options;
    let tree: string | undefined;
    let lastTrees: FinishedPack | undefined;
    try {
      const isQuick = trees.openEntries <= CHECKPOINT_AT_END_MAX_ENTRIES;
      const isWanted = packStore.hasStored && this.#hasNews() && isQuick;
      if (isWanted) {
        tree = trees.addPartialTrees();
        lastTrees = trees.takePack();
      }
    } catch {
      // The backup has failed already, for another reason.
    }
    const isStored = await packStore.salvage(tree === undefined ? undefined : { last: lastTrees });
    if (isStored && tree !== undefined) await this.#save(tree);
  }

  async #run(): Promise<void> {
    const { repository, checkpoint, trees, packStore } = this.#options;
    const { intervalMs = CHECKPOINT_INTERVAL_MS } = checkpoint;
    for (;;) {
      await repository.clock.sleep(intervalMs, this.#stop.signal);
      if (!this.#hasNews() || !this.#isCheap()) continue;
      const filesRead = this.#countRead();
      const packedBytes = trees.counts.bytesAddedPacked;
      const tree = trees.addPartialTrees();
      if (tree === undefined) continue;
      this.#lastBytes = trees.counts.bytesAddedPacked - packedBytes;
      this.#lastAtBytes = this.#countBytes();
      trees.finish();
      await packStore.finish();
      await this.#save(tree);
      this.#filesRead = filesRead;
    }
  }

  async #save(tree: string): Promise<void> {
    const { repository, checkpoint, hostname, paths } = this.#options;
    const time = formatTime(instantOfMilliseconds(repository.clock.now()));
    const sealed = encodeCheckpoint({ time, hostname, paths, tree }, repository);
    await checkpoint.store.save(sealed);
  }

  /** Files were read since the last one: otherwise another would save nobody anything. */
  #hasNews(): boolean {
    return this.#countRead() > this.#filesRead;
  }

  /** A folder of a million files is a large tree, which is not stored again and again. */
  #isCheap(): boolean {
    return this.#countBytes() - this.#lastAtBytes >= this.#lastBytes * CHECKPOINT_COST_RATIO;
  }

  #countBytes(): number {
    const { live, resumed } = this.#options.meter;
    return live.bytesDone - resumed.bytes;
  }

  #countRead(): number {
    const { filesNew, filesChanged, resumed } = this.#options.meter;
    return filesNew + filesChanged - resumed.files;
  }
}
