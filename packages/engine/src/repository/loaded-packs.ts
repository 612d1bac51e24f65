import type { Backend, OperationOptions } from "@comeback/core";
import { damaged } from "@comeback/core";

/** Whole tree packs kept in memory: trees that are read together were mostly written together. */
const PACKS_KEPT_MAX = 2;
/** A pack larger than this is not kept: only the range that is wanted is read. */
const PACK_KEPT_MAX_BYTES = 32 * 1024 * 1024;

/** Ranges of packs, read from whole packs that stay in memory for a while. */
export class LoadedPacks {
  readonly #backend: Backend;
  readonly #packs = new Map<string, Promise<Uint8Array | undefined>>();

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  async range(
    packId: string,
    offset: number,
    length: number,
    options: OperationOptions,
  ): Promise<Uint8Array> {
    let whole = this.#packs.get(packId);
    if (whole === undefined) {
      whole = this.#load(packId, options);
      whole.catch(() => this.forget(packId));
    } else {
      this.#packs.delete(packId);
    }
    // A Map keeps insertion order: the first key is the one that was used longest ago.
    this.#packs.set(packId, whole);
    for (const [oldest] of this.#packs) {
      if (this.#packs.size <= PACKS_KEPT_MAX) break;
      this.#packs.delete(oldest);
    }
    const pack = await whole;
    if (pack === undefined) {
      return this.#backend.load({ type: "pack", name: packId }, { ...options, offset, length });
    }
    if (offset + length > pack.length) {
      throw damaged(`pack ${packId.slice(0, 8)}`, "it is shorter than the index says");
    }
    return pack.subarray(offset, offset + length);
  }

  forget(packId: string): void {
    this.#packs.delete(packId);
  }

  async #load(packId: string, options: OperationOptions): Promise<Uint8Array | undefined> {
    const file = { type: "pack", name: packId } as const;
    const { sizeBytes } = await this.#backend.stat(file, options);
    return sizeBytes > PACK_KEPT_MAX_BYTES ? undefined : this.#backend.load(file, options);
  }
}
