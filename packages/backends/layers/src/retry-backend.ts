import {
  fileLabel,
  isComebackError,
  type Backend,
  type FileType,
  type ListedFile,
  type LoadOptions,
  type OperationOptions,
  type RepositoryFile,
  type SaveOptions,
} from "@comeback/core";
import { compareStored } from "./compare-stored.ts";
import { LayerBackend } from "./layer-backend.ts";
import { Retrier, RetrySeries, type RetryOptions } from "./retrier.ts";
import { retryingArchive, retryingLeftOvers, retryingRetention } from "./retry-parts.ts";

/**
 * Makes calls again that failed in a way that may pass. What the answer of a `save` that got lost
 * would have said is found out by the next one: if the name is taken then, by exactly what was to be
 * stored, it was stored. A torn file under a name that only our content can have is replaced;
 * anything else is somebody's file and stays. A `save` that is given up may have come through: then
 * the whole file is there.
 */
export class RetryBackend extends LayerBackend {
  readonly #retrier: Retrier;

  constructor(inner: Backend, options: Omit<RetryOptions, "wasReached">) {
    // An adapter is open once it has found its repository, or made one.
    const retrier = new Retrier({ ...options, wasReached: true });
    super(inner, {
      archive: inner.archive && retryingArchive(inner.archive, retrier),
      retention: inner.retention && retryingRetention(inner.retention, retrier),
      leftOvers: inner.leftOvers && retryingLeftOvers(inner.leftOvers, retrier),
    });
    this.#retrier = retrier;
  }

  protected override async performSave(
    file: RepositoryFile,
    data: Uint8Array,
    options: SaveOptions,
  ): Promise<void> {
    let mayBeThere = false;
    await this.#retrier.run(`saving ${fileLabel(file)}`, options.signal, async () => {
      try {
        await this.inner.save(file, data, options);
      } catch (error) {
        if (!mayBeThere || !isComebackError(error, "backend.exists")) {
          mayBeThere = true;
          throw error;
        }
        await this.#settle(file, data, { options, taken: error });
      }
    });
  }

  /** The name is taken after a `save` of ours whose fate nobody knows. */
  async #settle(
    file: RepositoryFile,
    data: Uint8Array,
    { options, taken }: { readonly options: SaveOptions; readonly taken: unknown },
  ): Promise<void> {
    const state = await compareStored(this.inner, file, data, options);
    if (state === "same") return;
    if (state === "other") throw taken;
    if (state === "torn") await this.inner.remove(file, { signal: options.signal });
    await this.inner.save(file, data, options);
  }

  protected override performLoad(
    file: RepositoryFile,
    options: LoadOptions,
  ): Promise<Uint8Array<ArrayBuffer>> {
    return this.#retrier.run(`loading ${fileLabel(file)}`, options.signal, () =>
      this.inner.load(file, options),
    );
  }

  protected override performStat(
    file: RepositoryFile,
    options: OperationOptions,
  ): Promise<{ sizeBytes: number }> {
    return this.#retrier.run(`looking up ${fileLabel(file)}`, options.signal, () =>
      this.inner.stat(file, options),
    );
  }

  protected override performRemove(file: RepositoryFile, options: OperationOptions): Promise<void> {
    return this.#retrier.run(`removing ${fileLabel(file)}`, options.signal, () =>
      this.inner.remove(file, options),
    );
  }

  /** Begins anew after a failure, and names nothing twice; the names are what this has to keep. */
  protected override async *performList(
    type: FileType,
    options: OperationOptions,
  ): AsyncGenerator<ListedFile> {
    const listed = new Set<string>();
    const series = new RetrySeries(this.#retrier, `listing ${type} files`, options.signal);
    for (;;) {
      const before = listed.size;
      series.attempt();
      try {
        for await (const file of this.inner.list(type, options)) {
          if (listed.has(file.name)) continue;
          listed.add(file.name);
          yield file;
        }
        series.succeeded();
        return;
      } catch (error) {
        if (listed.size > before) series.progressed();
        await series.failed(error);
      }
    }
  }
}
