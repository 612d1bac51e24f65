import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import {
  assertLoadRange,
  assertRepositoryFile,
  backendClosed,
  FILE_TYPES,
  fileLabel,
  fileNotFound,
  LIST_LAG_DEFAULT_MS,
} from "@comeback/core";
import type {
  Backend,
  BackendArchive,
  BackendRetention,
  FileType,
  ListedFile,
  LoadOptions,
  OperationOptions,
  RepositoryFile,
  SaveOptions,
} from "@comeback/core";
import { archiveOf } from "./archive.ts";
import { keyOf } from "./layout.ts";
import { listObjects } from "./list-objects.ts";
import { headObject, loadObject, sending } from "./load-object.ts";
import { operationOf } from "./object-store.ts";
import type { ObjectStore } from "./object-store.ts";
import { retained, retentionOf } from "./retention.ts";
import type { Explain, RunCall } from "./retention.ts";
import { isMissing, s3Error } from "./s3-errors.ts";
import { saveObject } from "./save-object.ts";
import { untilAborted } from "./until-aborted.ts";

/** A repository in a bucket, with restic's layout. Made by `s3BackendFactory`. */
export class S3Backend implements Backend {
  readonly location: string;
  readonly connections: number;
  readonly isRemote = true;
  readonly pacesTransfers = true;
  readonly listLagMs: number;
  readonly archive: BackendArchive;
  readonly retention: BackendRetention | undefined;
  readonly #store: ObjectStore;
  readonly #underWay: Set<Promise<unknown>> = new Set();
  #closed = false;

  constructor(store: ObjectStore) {
    this.#store = store;
    this.location = store.location.shown;
    this.connections = store.settings.connections;
    // Amazon's and Cloudflare's lists are always up to date. Of others nobody knows: some are
    // gateways, or several places that copy from each other.
    this.listLagMs = store.endpoint.isConditionalKnown ? 0 : LIST_LAG_DEFAULT_MS;
    const run: RunCall = (...call) => this.#run(...call);
    this.archive = archiveOf(store, run);
    this.retention =
      store.settings.objectLock === undefined ? undefined : retentionOf(store, run, this.#explain);
  }

  get isCreateAtomic(): boolean {
    return this.#store.conditionalPut === "refused";
  }

  save(file: RepositoryFile, data: Uint8Array, options: SaveOptions = {}): Promise<void> {
    return this.#run(file, "saving", "s3:PutObject", options, () =>
      saveObject(this.#store, { file, data, options }),
    );
  }

  load(file: RepositoryFile, options: LoadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    return this.#run(file, "loading", "s3:GetObject", options, async () => {
      assertLoadRange(options);
      const config = file.type === "config" ? this.#takeConfigRead(options) : undefined;
      if (config !== undefined) return config;
      return await loadObject(this.#store, file, options);
    });
  }

  stat(file: RepositoryFile, options: OperationOptions = {}): Promise<{ sizeBytes: number }> {
    return this.#run(file, "looking up", "s3:GetObject", options, async () => {
      const head = await headObject(this.#store, file, options.signal);
      return { sizeBytes: head.ContentLength ?? 0 };
    });
  }

  remove(file: RepositoryFile, options: OperationOptions = {}): Promise<void> {
    return this.#run(file, "removing", "s3:DeleteObject", options, async () => {
      try {
        await this.#remove(file, options.signal);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    });
  }

  async *list(type: FileType, options: OperationOptions = {}): AsyncGenerator<ListedFile> {
    const { signal } = options;
    if (!FILE_TYPES.includes(type)) assertRepositoryFile({ type, name: "" });
    if (this.#closed) throw backendClosed(this.location);
    signal?.throwIfAborted();
    try {
      for await (const file of listObjects(this.#store, type, signal)) {
        yield file;
        signal?.throwIfAborted();
      }
    } catch (error) {
      throw this.#explain(`listing ${type} files`, "s3:ListBucket", error, signal);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#underWay);
    await this.#store.proving;
    this.#store.client.destroy();
  }

  /** Once, and only before anything is done to it: far away, each reading takes its time. */
  #takeConfigRead({ offset = 0, length }: LoadOptions): Uint8Array<ArrayBuffer> | undefined {
    const config = this.#store.configRead;
    this.#store.configRead = undefined;
    return offset === 0 && length === undefined ? config : undefined;
  }

  /**
   * In a bucket with versions a plain removal only hides the file. With `object-lock` set the
   * version itself is removed once its time is over, since nothing else would ever free its space.
   * Index files are hidden before that: each prune replaces them, and all that they say is in the
   * packs as well. What is hidden is kept by the lock all the same.
   */
  async #remove(file: RepositoryFile, signal: AbortSignal | undefined): Promise<void> {
    const { client, location, settings, clock, proving } = this.#store;
    if (file.type === "lock" && proving !== undefined) await untilAborted(proving, signal);
    const object = { Bucket: location.bucket, Key: keyOf(location.prefix, file) };
    let version = {};
    if (settings.objectLock !== undefined) {
      const head = await headObject(this.#store, file, signal);
      const untilMs = head.ObjectLockRetainUntilDate?.getTime() ?? 0;
      const isLocked = untilMs > clock.now();
      if (isLocked && file.type !== "index") throw retained(this.#store, file, untilMs);
      if (!isLocked && head.VersionId !== undefined) version = { VersionId: head.VersionId };
    }
    await client.send(new DeleteObjectCommand({ ...object, ...version }), sending(signal));
  }

  /** What all calls have in common: refusal of bad names, of closed backends, and good errors. */
  async #run<T>(
    file: RepositoryFile,
    doing: string,
    action: string,
    { signal }: OperationOptions,
    perform: () => Promise<T>,
  ): Promise<T> {
    assertRepositoryFile(file);
    if (file.type === "config" && doing !== "loading") this.#store.configRead = undefined;
    if (this.#closed) throw backendClosed(this.location);
    signal?.throwIfAborted();
    const result = perform();
    this.#underWay.add(result);
    try {
      return await result;
    } catch (error) {
      if (isMissing(error) && doing !== "saving") throw fileNotFound(file, this.location);
      throw this.#explain(`${doing} ${fileLabel(file)}`, action, error, signal);
    } finally {
      this.#underWay.delete(result);
    }
  }

  readonly #explain: Explain = (doing, action, error, signal) => {
    // An abort is no failure of the store: the reason is the caller's own.
    if (signal?.aborted === true) return signal.reason;
    return s3Error(operationOf(this.#store, doing, action), error);
  };
}
