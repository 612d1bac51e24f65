import {
  assertLoadRange,
  assertRepositoryFile,
  backendClosed,
  ComebackError,
  FILE_TYPES,
  fileNotFound,
  isComebackError,
} from "@comeback/core";
import type {
  Backend,
  FileType,
  ListedFile,
  LoadOptions,
  OperationOptions,
  RepositoryFile,
  SaveOptions,
} from "@comeback/core";
import { listFiles } from "./list-files.ts";
import { loadFile } from "./load-file.ts";
import { removeFile } from "./remove-file.ts";
import { RestClient } from "./rest-client.ts";
import type { RestServer } from "./rest-client.ts";
import { saveFile } from "./save-file.ts";
import { fileSize, findSize } from "./stat-file.ts";

const CONFIG: RepositoryFile = { type: "config", name: "" };

/** Names that this process is saving: of two at once the second must see the first. */
const claimed: Map<string, Promise<unknown>> = new Map();

/** A repository on a server that speaks restic's REST protocol. */
export class RestBackend implements Backend {
  readonly location: string;
  readonly connections: number;
  readonly isRemote: boolean = true;
  readonly pacesTransfers: boolean = true;
  readonly listLagMs: number;
  readonly isCreateAtomic: boolean = false;
  readonly #client: RestClient;
  readonly #underWay: Set<Promise<unknown>> = new Set();
  /** A server that has lost the repository, or whose disk is not mounted, lists nothing. */
  #hadConfig = false;
  #closed = false;

  constructor(server: RestServer, listLagMs: number) {
    this.location = server.location;
    this.connections = server.connections;
    this.listLagMs = listLagMs;
    this.#client = new RestClient(server);
  }

  /** Whether there is a config file, and so a repository. */
  async hasConfig(signal: AbortSignal | undefined): Promise<boolean> {
    const sizeBytes = await findSize(this.#client, CONFIG, { signal });
    this.#hadConfig ||= sizeBytes !== undefined;
    return sizeBytes !== undefined;
  }

  /** Has the server make what folders it needs. */
  async makeFolders(signal: AbortSignal | undefined): Promise<void> {
    const path = `${this.#client.server.basePath}?create=true`;
    const doing = "creating the repository";
    const wish = { method: "POST", path, doing, body: new Uint8Array(0), signal } as const;
    await this.#client.call(wish, (exchange) => exchange.skipBody());
  }

  async save(file: RepositoryFile, data: Uint8Array, options: SaveOptions = {}): Promise<void> {
    const { signal, pace } = options;
    await this.#run(file, signal, () =>
      this.#alone(file, signal, () => saveFile(this.#client, { file, data, signal, pace })),
    );
    if (file.type === "config") this.#hadConfig = true;
  }

  async load(file: RepositoryFile, options: LoadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    return await this.#run(file, options.signal, async () => {
      assertLoadRange(options);
      return await loadFile(this.#client, file, options);
    });
  }

  async stat(file: RepositoryFile, options: OperationOptions = {}): Promise<{ sizeBytes: number }> {
    const { signal } = options;
    return await this.#run(file, signal, async () => {
      // rclone goes on to say that there is what it once listed, but lists anew every time.
      const mustList = file.type === "lock" && this.#client.isRclone;
      if (mustList && !(await this.#isListed(file, signal)))
        throw fileNotFound(file, this.location);
      return { sizeBytes: await fileSize(this.#client, file, signal) };
    });
  }

  async remove(file: RepositoryFile, options: OperationOptions = {}): Promise<void> {
    await this.#run(file, options.signal, async () => {
      try {
        await removeFile(this.#client, file, options);
      } catch (error) {
        // rclone fails at what it once listed and another client has removed since.
        const isInDoubt = this.#client.isRclone && isComebackError(error, "backend.io");
        if (!isInDoubt || (await this.#isListed(file, options.signal))) throw error;
      }
    });
    if (file.type === "config") this.#hadConfig = false;
  }

  async *list(type: FileType, options: OperationOptions = {}): AsyncGenerator<ListedFile> {
    const { signal } = options;
    if (!FILE_TYPES.includes(type)) assertRepositoryFile({ type, name: "" });
    if (this.#closed) throw backendClosed(this.location);
    signal?.throwIfAborted();
    yield* this.#list(type, signal);
  }

  async *#list(type: FileType, signal: AbortSignal | undefined): AsyncGenerator<ListedFile> {
    if (type === "config") {
      const sizeBytes = await findSize(this.#client, CONFIG, { signal });
      if (sizeBytes !== undefined) yield { name: "", sizeBytes };
      return;
    }
    let isEmpty = true;
    for await (const file of listFiles(this.#client, type, signal)) {
      isEmpty = false;
      yield file;
    }
    if (isEmpty && this.#hadConfig) await this.#assertStillThere(type, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      await Promise.allSettled(this.#underWay);
    }
    await this.#client.server.transport[Symbol.asyncDispose]();
  }

  /** What all calls have in common: refusal of bad names and of closed backends. */
  async #run<T>(
    file: RepositoryFile,
    signal: AbortSignal | undefined,
    perform: () => Promise<T>,
  ): Promise<T> {
    assertRepositoryFile(file);
    if (this.#closed) throw backendClosed(this.location);
    signal?.throwIfAborted();
    const result = perform();
    this.#underWay.add(result);
    try {
      return await result;
    } finally {
      this.#underWay.delete(result);
    }
  }

  /** One after the other, for all backends of this process: servers may mix two at once. */
  async #alone(
    file: RepositoryFile,
    signal: AbortSignal | undefined,
    perform: () => Promise<void>,
  ): Promise<void> {
    const key = `${this.location}\0${file.type}\0${file.name}`;
    for (let other = claimed.get(key); other !== undefined; other = claimed.get(key)) await other;
    signal?.throwIfAborted();
    const work = perform();
    const settled = work.catch(() => undefined).finally(() => claimed.delete(key));
    claimed.set(key, settled);
    try {
      await work;
    } finally {
      await settled;
    }
  }

  async #isListed(file: RepositoryFile, signal: AbortSignal | undefined): Promise<boolean> {
    for await (const { name } of this.#list(file.type, signal)) if (name === file.name) return true;
    return false;
  }

  /** An empty list may be the list of a repository that is not there any more. */
  async #assertStillThere(type: FileType, signal: AbortSignal | undefined): Promise<void> {
    if (await this.hasConfig(signal)) return;
    throw new ComebackError("backend.not-mounted", `the repository at ${this.location} is gone`, {
      why: `the server lists no ${type} files, and does not have the config file any more`,
      next: "check the server, and that its disk is mounted; nothing was written elsewhere",
      retryable: true,
    });
  }
}
