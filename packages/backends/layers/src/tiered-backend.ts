import {
  isComebackError,
  TIER_CLEANUP_MAX_MS,
  TIER_MISSES_KEPT_MAX,
  type Backend,
  type FileType,
  type ListedFile,
  type LoadOptions,
  type OperationOptions,
  type RepositoryFile,
  type SaveOptions,
} from "@comeback/core";
import { compareStored, isNamedAfter } from "./compare-stored.ts";
import { LayerBackend } from "./layer-backend.ts";
import { tieredArchive, tieredLeftOvers, tieredRetention } from "./tiered-parts.ts";

/**
 * A repository in two stores, laid out as rustic does it: `cold` holds all of it and may be slow or
 * need thaws; `hot` holds again what is read all the time: keys, locks, snapshots, index files, and
 * packs of trees. Data packs and the config are in `cold` alone. (rustic's hot part has a config of
 * its own, which says `is_hot`; only who has the key can write it: whoever makes a pair does so.)
 *
 * What `cold` lists is what there is, and what it lists `hot` should have:
 *
 * - **save** goes to `hot` first. Cut off in between, it leaves a file in `hot` that no list shows,
 *   as good as never saved. The other way round would leave a listed index or tree that can be read
 *   only after a thaw.
 * - **remove** goes to `cold` first, for the same reason; and where `cold` refuses, because the file
 *   is locked there, `hot` must still have it.
 * - **load** asks `hot`, then `cold`: a file that is missing in `hot`, or whose content is not what
 *   its name says, is still in `cold`.
 * - **locks** are in both: another client may use `cold` alone, as restic does, and must see them.
 */
export class TieredBackend extends LayerBackend {
  readonly #hot: Backend;
  readonly #hotMisses: Set<string> = new Set();

  constructor(tiers: { readonly hot: Backend; readonly cold: Backend }) {
    const { hot, cold } = tiers;
    super(cold, {
      archive: cold.archive && tieredArchive(cold.archive, hot),
      retention: cold.retention && tieredRetention(cold.retention, hot),
      leftOvers: tieredLeftOvers(cold, hot),
    });
    this.#hot = hot;
  }

  protected override async performSave(
    file: RepositoryFile,
    data: Uint8Array,
    options: SaveOptions,
  ): Promise<void> {
    const isHot = file.type === "pack" ? options.packContent === "tree" : file.type !== "config";
    if (!isHot) return this.inner.save(file, data, options);
    this.#hotMisses.delete(file.name);
    await this.#saveHot(file, data, options);
    try {
      await this.inner.save(file, data, options);
    } catch (error) {
      await this.#tidyHot(file, error);
      throw error;
    }
  }

  async #saveHot(file: RepositoryFile, data: Uint8Array, options: SaveOptions): Promise<void> {
    try {
      await this.#hot.save(file, data, options);
    } catch (error) {
      if (!isComebackError(error, "backend.exists")) throw error;
      // Left by a run that was cut off, being saved by somebody else, or simply there.
      const state = await compareStored(this.#hot, file, data, options);
      if (state === "same") return;
      if (state === "other") throw error;
      if (state === "torn") await this.#hot.remove(file, { signal: options.signal });
      await this.#hot.save(file, data, options);
    }
  }

  /** Nothing may be found under the name of a file that was not saved, unless it is there after all. */
  async #tidyHot(file: RepositoryFile, error: unknown): Promise<void> {
    if (isComebackError(error, "backend.exists")) return;
    const signal = AbortSignal.timeout(TIER_CLEANUP_MAX_MS);
    try {
      await this.inner.stat(file, { signal });
    } catch (problem) {
      if (!isComebackError(problem, "backend.not-found")) return;
      await this.#hot.remove(file, { signal }).catch(() => undefined);
    }
  }

  protected override async performLoad(
    file: RepositoryFile,
    options: LoadOptions,
  ): Promise<Uint8Array<ArrayBuffer>> {
    if (file.type === "config" || this.#hotMisses.has(file.name)) {
      return this.inner.load(file, options);
    }
    try {
      const data = await this.#hot.load(file, options);
      const isWhole = options.offset === undefined && options.length === undefined;
      if (!isWhole || isNamedAfter(file, data)) return data;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (file.type === "pack" && isComebackError(error, "backend.not-found")) {
        this.#rememberMiss(file.name);
      }
      // Whatever the hot part's trouble is, the cold part has everything.
    }
    return this.inner.load(file, options);
  }

  /** Each range of a data pack would be asked for in vain otherwise. */
  #rememberMiss(name: string): void {
    if (this.#hotMisses.size >= TIER_MISSES_KEPT_MAX) this.#hotMisses.clear();
    this.#hotMisses.add(name);
  }

  protected override async performRemove(
    file: RepositoryFile,
    options: OperationOptions,
  ): Promise<void> {
    await this.inner.remove(file, options);
    if (file.type !== "config") await this.#hot.remove(file, options);
  }

  protected override performList(
    type: FileType,
    options: OperationOptions,
  ): AsyncIterable<ListedFile> {
    return this.inner.list(type, options);
  }

  protected override async disposeInner(): Promise<void> {
    await using _hot = this.#hot;
    await super.disposeInner();
  }
}
