import { INDEX_FILE_MAX_BLOBS, INDEX_SAVE_INTERVAL_MS } from "@comeback/core";
import { collectGarbage } from "@comeback/platform";
import { encodeIndexFile } from "../index/index-file.ts";
import { type FinishedPack, packedBlob } from "../pack/packer.ts";
import { uploadsInFlight } from "../repository/calls-in-flight.ts";
import type { Repository } from "../repository/repository.ts";

export interface PackStoreOptions {
  readonly repository: Repository;
  readonly dryRun: boolean;
  /** Resolves when writing is allowed. */
  readonly mayWrite: Promise<void>;
  readonly signal: AbortSignal;
  onStored(bytes: number): void;
}

/**
 * Uploads finished packs, a bounded number at a time, and writes the index files that make them
 * known: a pack first, then its index (restic design, order of writes). What an interrupted run
 * has stored and indexed is found again by the next one.
 */
export class PackStore {
  readonly #options: PackStoreOptions;
  readonly #uploads = new Set<Promise<void>>();
  readonly #uploadsMax: number;
  #unindexed: { readonly id: string; readonly entries: Uint32Array }[] = [];
  #unindexedBlobs = 0;
  #indexedMs: number;
  /** Index files are written one after the other: who waits for one knows of all before it. */
  #indexing: Promise<void> = Promise.resolve();
  #failure: unknown;
  /** A pack of this run is stored: so writing was allowed. */
  hasStored = false;

  constructor(options: PackStoreOptions) {
    this.#options = options;
    const { backend, packSizeBytes, clock } = options.repository;
    this.#uploadsMax = uploadsInFlight(backend, packSizeBytes);
    this.#indexedMs = clock.now();
  }

  /** Starts the upload of a pack. Call `room` before the work that makes the next one. */
  add(pack: FinishedPack, type: "data" | "tree"): void {
    const upload = this.#upload(pack, type, this.#options.signal)
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => this.#uploads.delete(upload));
    this.#uploads.add(upload);
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
  }

  /**
   * After a failure or an interruption: makes known what was stored before it, so that the next
   * run need not store it again, and stores one last pack of trees. Does what it can and never
   * throws; true where all of it could be done.
   */
  async salvage(lastTrees?: FinishedPack): Promise<boolean> {
    await Promise.all(this.#uploads);
    const signal = AbortSignal.timeout(SALVAGE_TIMEOUT_MS);
    try {
      if (lastTrees !== undefined) await this.#upload(lastTrees, "tree", signal);
      await this.#saveIndex(signal);
      return true;
    } catch {
      return false;
    }
  }

  async #upload(pack: FinishedPack, type: "data" | "tree", signal: AbortSignal): Promise<void> {
    const { repository, dryRun, mayWrite, onStored } = this.#options;
    const data = new Uint8Array(pack.buffer, 0, pack.bytes);
    if (!dryRun) {
      await mayWrite;
      const file = { type: "pack", name: pack.id } as const;
      await repository.backend.save(file, data, { signal, packContent: type });
      this.hasStored = true;
      if (type === "tree") repository.rememberTreePack(pack.id, data);
    }
    const number = repository.index.packNumber(pack.id);
    const { table } = repository.index;
    for (const entry of pack.entries) table.setPack(entry, number);
    collectGarbage(pack.bytes);
    onStored(pack.bytes);
    // Gives the memory back now instead of at the next garbage collection. The cache may still be
    // writing a tree pack.
    if (type === "data") pack.buffer.transfer(0);
    this.#unindexed.push({ id: pack.id, entries: pack.entries });
    this.#unindexedBlobs += pack.entries.length;
    const dueMs = this.#indexedMs + INDEX_SAVE_INTERVAL_MS;
    if (this.#unindexedBlobs >= INDEX_FILE_MAX_BLOBS || repository.clock.now() >= dueMs) {
      await this.#saveIndex(signal);
    }
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

/** Ctrl-C has to end within a second. */
const SALVAGE_TIMEOUT_MS = 700;
