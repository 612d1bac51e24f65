import type { Agent } from "node:http";
import type { BlobClient, BlobItem, ContainerClient } from "@azure/storage-blob";
import {
  assertLoadRange,
  assertRepositoryFile,
  AZURE_LIST_PAGE_BLOBS,
  backendClosed,
  FILE_TYPES,
  fileExists,
  fileLabel,
  fileNotFound,
  isComebackError,
} from "@comeback/core";
import type {
  Backend,
  BackendArchive,
  ComebackError,
  FileType,
  ListedFile,
  LoadOptions,
  OperationOptions,
  RepositoryFile,
  SaveOptions,
} from "@comeback/core";
import { AzureArchive } from "./azure-archive.ts";
import { azureError, failureCode } from "./azure-errors.ts";
import type { AzurePlace } from "./azure-errors.ts";
import { blobNameOf, fileNameOf, typePrefix } from "./azure-layout.ts";
import { tierFor } from "./azure-settings.ts";
import type { AzureSettings } from "./azure-settings.ts";
import { downloadFile, sizeOf } from "./download-file.ts";
import { uploadFile } from "./upload-file.ts";

type Doing = "saving" | "loading" | "looking up" | "removing" | "thawing";

export interface AzureParts {
  readonly container: ContainerClient;
  readonly agent: Agent;
  readonly settings: AzureSettings;
  readonly place: AzurePlace;
  readonly prefix: string;
}

/** A repository in a container of blobs, with restic's layout. Made by `azureBackendFactory`. */
export class AzureBackend implements Backend {
  readonly location: string;
  readonly connections: number;
  readonly isRemote: boolean = true;
  readonly pacesTransfers: boolean = true;
  /** The service is strongly consistent: a list shows what was saved before. */
  readonly listLagMs: number = 0;
  /** Any container may have a rule that moves its blobs to the archive. */
  readonly archive: BackendArchive;
  readonly #parts: AzureParts;
  readonly #underWay: Set<Promise<unknown>> = new Set();
  #closed = false;

  constructor(parts: AzureParts) {
    this.location = parts.place.url;
    this.connections = parts.settings.connections;
    this.#parts = parts;
    const { dataTier } = parts.settings;
    this.archive = new AzureArchive({
      ask: (file, doing, options, call) => this.#run(file, doing, options.signal, call),
      askIfThere: (file, options, call) => this.#runIfThere(file, options.signal, call),
      packBlobs: (options) => this.#blobs("pack", options.signal),
      thawedTier: dataTier === undefined || dataTier === "Archive" ? "Hot" : dataTier,
      connections: this.connections,
    });
  }

  save(file: RepositoryFile, data: Uint8Array, options: SaveOptions = {}): Promise<void> {
    const { packContent, pace, signal } = options;
    return this.#run(file, "saving", signal, async (blob) => {
      const client = blob.getBlockBlobClient();
      const tier = tierFor(this.#parts.settings, file, packContent);
      await uploadFile({ client, data, tier, signal, pace });
    });
  }

  load(file: RepositoryFile, options: LoadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    return this.#run(file, "loading", options.signal, (blob) => {
      assertLoadRange(options);
      return downloadFile(blob, file, options);
    });
  }

  stat(file: RepositoryFile, options: OperationOptions = {}): Promise<{ sizeBytes: number }> {
    const { signal } = options;
    return this.#run(file, "looking up", signal, async (blob) => ({
      sizeBytes: await sizeOf(blob, signal),
    }));
  }

  async remove(file: RepositoryFile, options: OperationOptions = {}): Promise<void> {
    const { signal } = options;
    try {
      await this.#run(file, "removing", signal, (blob) =>
        blob.delete(signal === undefined ? {} : { abortSignal: signal }),
      );
    } catch (error) {
      if (!isComebackError(error, "backend.not-found")) throw error;
    }
  }

  async *list(type: FileType, options: OperationOptions = {}): AsyncGenerator<ListedFile> {
    for await (const { name, blob } of this.#blobs(type, options.signal)) {
      yield { name, sizeBytes: blob.properties.contentLength ?? 0 };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#underWay);
    this.#parts.agent.destroy();
  }

  async *#blobs(
    type: FileType,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<{ name: string; blob: BlobItem }> {
    if (!FILE_TYPES.includes(type)) assertRepositoryFile({ type, name: "" });
    if (this.#closed) throw backendClosed(this.location);
    const { container, place, prefix } = this.#parts;
    try {
      signal?.throwIfAborted();
      const pages = container
        .listBlobsFlat({
          prefix: typePrefix(prefix, type),
          ...(signal === undefined ? {} : { abortSignal: signal }),
        })
        .byPage({ maxPageSize: AZURE_LIST_PAGE_BLOBS });
      for await (const page of pages) {
        for (const blob of page.segment.blobItems) {
          signal?.throwIfAborted();
          const name = fileNameOf(prefix, type, blob.name);
          if (name !== undefined) yield { name, blob };
        }
      }
      signal?.throwIfAborted();
    } catch (error) {
      signal?.throwIfAborted();
      throw azureError(place, `listing ${type} files`, error);
    }
  }

  /** What all calls have in common: refusal of bad names, of closed backends, and good errors. */
  async #run<T>(
    file: RepositoryFile,
    doing: Doing,
    signal: AbortSignal | undefined,
    perform: (client: BlobClient) => Promise<T>,
  ): Promise<T> {
    assertRepositoryFile(file);
    if (this.#closed) throw backendClosed(this.location);
    signal?.throwIfAborted();
    const { container, prefix } = this.#parts;
    const result = perform(container.getBlobClient(blobNameOf(prefix, file)));
    this.#underWay.add(result);
    try {
      return await result;
    } catch (error) {
      // An abort is no failure of the store: the reason is the caller's own.
      signal?.throwIfAborted();
      throw this.#explain(file, doing, error);
    } finally {
      this.#underWay.delete(result);
    }
  }

  async #runIfThere<T>(
    file: RepositoryFile,
    signal: AbortSignal | undefined,
    perform: (client: BlobClient) => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await this.#run(file, "looking up", signal, perform);
    } catch (error) {
      if (isComebackError(error, "backend.not-found")) return undefined;
      throw error;
    }
  }

  #explain(file: RepositoryFile, doing: Doing, error: unknown): ComebackError {
    const code = failureCode(error);
    const explained = azureError(this.#parts.place, `${doing} ${fileLabel(file)}`, error);
    const cause = explained.cause;
    if (doing === "saving") {
      // Over a blob in the archive nothing can be written, so that one is there as well.
      const isTaken = ["BlobAlreadyExists", "BlobArchived", "BlobBeingRehydrated"].includes(code);
      return isTaken ? fileExists(file, this.location, cause) : explained;
    }
    if (code === "BlobNotFound") return fileNotFound(file, this.location, cause);
    return explained;
  }
}
