import { INDEX_FILE_MAX_BLOBS, type OperationOptions } from "@comeback/core";
import { encodeIndexFile, type IndexedPack } from "../index/index-file.ts";
import type { Repository } from "../repository/repository.ts";

/** Saves packs as index files of the usual size, one after the other. */
export class IndexWriter {
  readonly #repository: Repository;
  readonly #options: OperationOptions;
  #packs: IndexedPack[] = [];
  #blobs = 0;
  #saving: Promise<void> = Promise.resolve();
  filesWritten = 0;

  constructor(repository: Repository, options: OperationOptions) {
    this.#repository = repository;
    this.#options = options;
  }

  async add(pack: IndexedPack): Promise<void> {
    this.#packs.push(pack);
    this.#blobs += pack.blobs.length;
    if (this.#blobs >= INDEX_FILE_MAX_BLOBS) await this.#save();
  }

  async finish(): Promise<void> {
    await this.#save();
  }

  /** Saves what there is, behind what is being saved; a failure is everyone's. */
  #save(): Promise<void> {
    const packs = this.#packs;
    this.#packs = [];
    this.#blobs = 0;
    this.#saving = this.#saving.then(async () => {
      if (packs.length === 0) return;
      await this.#repository.saveUnpacked("index", encodeIndexFile(packs), this.#options);
      this.filesWritten++;
    });
    return this.#saving;
  }
}
