import {
  INDEX_FILE_MAX_BLOBS,
  INDEX_SAVE_INTERVAL_MS,
  PACKS_IN_FLIGHT_MAX,
  RANGE_TASK_BYTES,
  SALVAGE_MAX_MS,
} from "@comeback/core";
import { collectGarbage } from "@comeback/platform";
import { encodeIndexFile } from "../index/index-file.ts";
import { type FinishedPack, packCapacityBytes, packedBlob } from "../pack/packer.ts";
import { uploadsInFlight } from "../repository/calls-in-flight.ts";
import type { Repository } from "../repository/repository.ts";
import { WaitingPacks } from "./waiting-packs.ts";

export interface PackStoreOptions {
  readonly repository: Repository;
  readonly dryRun: boolean;
  /** Resolves when writing is allowed. */
  readonly mayWrite: Promise<void>;
  readonly signal: AbortSignal;
  /** How long `salvage` may take at most; default SALVAGE_MAX_MS. */
  readonly salvageMaxMs?: number | undefined;
  onStored(bytes: number): void;
  /** Told of each upload that has ended: `mayFill` may answer otherwise now. */
  onRoom?(): void;
}

/**
 * Uploads finished packs, a bounded number at a time, and writes the index files that make them
 * known: a pack first, then its index (restic design, order of writes). What an interrupted run
 * has stored and indexed is found again by the next one.
 */
export class PackStore {
  readonly #options: PackStoreOptions;
  readonly #uploads = new Set<Promise<void>>();
  /** Where packs wait that are too many for memory; for storage far away. */
  readonly #waiting: WaitingPacks | undefined;
  #inMemory = 0;
  #unindexed: { readonly id: string; readonly entries: Uint32Array }[] = [];
  #unindexedBlobs = 0;
  #indexedMs: number;
  /** Index files are written one after the other: who waits for one knows of all before it. */
  #indexing: Promise<void> = Promise.resolve();
  #failure: unknown;
  /** Whose upload has failed, or was interrupted: `salvage` may try once more. */
  readonly #unstoredTrees: FinishedPack[] = [];
  /** A pack of this run is stored: so writing was allowed. */
  hasStored = false;

  constructor(options: PackStoreOptions) {
    this.#options = options;
    const { backend, packSizeBytes, clock, temporaryFolder: folder } = options.repository;
    if (backend.isRemote && !options.dryRun && folder !== undefined) {
      this.#waiting = new WaitingPacks({ folder, fileBytes: packCapacityBytes(packSizeBytes) });
    }
    this.#indexedMs = clock.now();
  }

  /** Starts the upload of a pack. Call `room` before the work that makes the next one. */
  add(pack: FinishedPack, type: "data" | "tree"): void {
    const upload = this.#upload(pack, type, this.#options.signal)
      .catch((error: unknown) => {
        this.#failure ??= error;
        if (type === "tree") this.#unstoredTrees.push(pack);
      })
      .finally(() => {
        this.#uploads.delete(upload);
        this.#options.onRoom?.();
      });
    this.#uploads.add(upload);
  }

  /**
   * Whether one more task may start that fills packs, beside so many that are under way. Far away,
   * where many packs are under upload, what the tasks may finish counts as well: it is memory. A
   * disk takes packs as fast as they come, and must not wait for one.
   */
  mayFill(tasksUnderWay: number): boolean {
    const { backend, packSizeBytes } = this.#options.repository;
    if (!backend.isRemote || this.#failure !== undefined) return true;
    if (this.#uploads.size + tasksUnderWay === 0) return true;
    const mayFinish = Math.ceil(((tasksUnderWay + 1) * RANGE_TASK_BYTES) / packSizeBytes);
    return this.#uploads.size + mayFinish <= this.#uploadsMax;
  }

  get #uploadsMax(): number {
    const { backend, packSizeBytes } = this.#options.repository;
    const wait = this.#waiting?.isUsable === true ? "in-files" : "in-memory";
    return uploadsInFlight(backend, packSizeBytes, wait);
  }

  /** Resolves once there are few enough uploads under way; rejects once one has failed. */
  async room(): Promise<void> {
    while (this.#failure === undefined && this.#uploads.size >= this.#uploadsMax) {
      await Promise.race(this.#uploads);
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  get hasRoom(): boolean {
    return this.#failure === undefined && this.#uploads.size < this.#uploadsMax;
  }

  /** Waits for all uploads and writes the rest of the index. */
  async finish(): Promise<void> {
    await Promise.all(this.#uploads);
    if (this.#failure !== undefined) throw this.#failure;
    await this.#saveIndex(this.#options.signal);
    this.#waiting?.clear();
  }

  /**
   * After a failure or an interruption: makes known what was stored before it, so that the next
   * run need not store it again, and on demand stores the trees that are not yet, `last` included.
   * Does what it can and never throws; true where all of it could be done.
   */
  async salvage(trees?: { readonly last: FinishedPack | undefined }): Promise<boolean> {
    await Promise.all(this.#uploads);
    const { repository, salvageMaxMs = SALVAGE_MAX_MS } = this.#options;
    const [done, late] = [new AbortController(), new AbortController()];
    const sleeping = repository.clock.sleep(salvageMaxMs, done.signal);
    void sleeping.then(
      () => late.abort(),
      () => undefined,
    );
    const { signal } = late;
    try {
      if (trees !== undefined) {
        for (const pack of this.#unstoredTrees) await this.#upload(pack, "tree", signal);
        if (trees.last !== undefined) await this.#upload(trees.last, "tree", signal);
      }
      await this.#saveIndex(signal);
      return true;
    } catch {
      return false;
    } finally {
      this.#waiting?.clear();
      done.abort();
    }
  }

  async #upload(pack: FinishedPack, type: "data" | "tree", signal: AbortSignal): Promise<void> {
    const { repository, dryRun, onStored } = this.#options;
    if (!dryRun) {
      await this.#save(pack, type, signal);
      this.hasStored = true;
    }
    const number = repository.index.packNumber(pack.id);
    const { table } = repository.index;
    for (const entry of pack.entries) table.setPack(entry, number);
    collectGarbage(pack.bytes);
    onStored(pack.bytes);
    // Gives the memory back now instead of at the next garbage collection. The cache may still be
    // writing a tree pack.
    if (type === "data" && !pack.buffer.detached) pack.buffer.transfer(0);
    this.#unindexed.push({ id: pack.id, entries: pack.entries });
    this.#unindexedBlobs += pack.entries.length;
    const dueMs = this.#indexedMs + INDEX_SAVE_INTERVAL_MS;
    if (this.#unindexedBlobs >= INDEX_FILE_MAX_BLOBS || repository.clock.now() >= dueMs) {
      await this.#saveIndex(signal);
    }
  }

  async #save(pack: FinishedPack, type: "data" | "tree", signal: AbortSignal): Promise<void> {
    const { repository, mayWrite } = this.#options;
    const { backend } = repository;
    const file = { type: "pack", name: pack.id } as const;
    const data = new Uint8Array(pack.buffer, 0, pack.bytes);
    this.#inMemory++;
    // Trees stay in memory: they are few, and the cache keeps them.
    const isTooMany = type === "data" && this.#inMemory > PACKS_IN_FLIGHT_MAX;
    using waiting = isTooMany ? await this.#waiting?.add(pack.id, data) : undefined;
    if (waiting !== undefined) {
      pack.buffer.transfer(0);
      this.#inMemory--;
    }
    try {
      await mayWrite;
      await backend.save(file, waiting?.data ?? data, { signal, packContent: type });
    } finally {
      if (waiting === undefined) this.#inMemory--;
    }
    try {
      waiting?.assertIntact();
    } catch (error) {
      await backend.remove(file, { signal }).catch(() => {});
      throw error;
    }
    if (type === "tree") repository.rememberTreePack(pack.id, data);
  }

  #saveIndex(signal: AbortSignal): Promise<void> {
    const saving = this.#indexing.then(() => this.#writeIndex(signal));
    this.#indexing = saving.catch(() => {});
    return saving;
  }

  async #writeIndex(signal: AbortSignal): Promise<void> {
    const { repository, dryRun } = this.#options;
    const packs = this.#unindexed;
    this.#unindexed = [];
    this.#unindexedBlobs = 0;
    this.#indexedMs = repository.clock.now();
    if (packs.length === 0 || dryRun) return;
    const { table } = repository.index;
    const listed = packs.map(({ id, entries }) => ({
      id,
      blobs: Array.from(entries, (entry) => packedBlob(table, entry)),
    }));
    try {
      await repository.saveUnpacked("index", encodeIndexFile(listed), { signal });
    } catch (error) {
      // Not lost for `salvage`: without an index they would be stored once more the next time.
      this.#unindexed.push(...packs);
      throw error;
    }
  }
}
