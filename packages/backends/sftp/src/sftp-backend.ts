import {
  assertLoadRange,
  assertRepositoryFile,
  backendClosed,
  FILE_TYPES,
  fileExists,
  fileLabel,
  fileNotFound,
} from "@comeback/core";
import type {
  Backend,
  FileType,
  LeftOver,
  ListedFile,
  LoadOptions,
  OperationOptions,
  RepositoryFile,
  SaveOptions,
} from "@comeback/core";
import { folderOf, modesFor, pathOf, typeFolder } from "./layout.ts";
import type { LayoutModes } from "./layout.ts";
import { findTemporaries, removeTemporary } from "./find-left-overs.ts";
import { LeftOvers } from "./left-overs.ts";
import { listFiles } from "./list-files.ts";
import { loadFile } from "./load-file.ts";
import { isRegularFile } from "./packet-reader.ts";
import { NameTaken } from "./publish.ts";
import { saveFile, syncFolder } from "./save-file.ts";
import type { SessionPool } from "./session-pool.ts";
import type { FileSystemSpace } from "./sftp-client.ts";
import { backendError, notAFile, repositoryGone } from "./sftp-errors.ts";
import type { SftpSession } from "./sftp-session.ts";
import { hasStatus, SftpStatusError } from "./sftp-status-error.ts";

const CONFIG: RepositoryFile = { type: "config", name: "" };

interface Call<T> {
  readonly file: RepositoryFile;
  readonly doing: "saving" | "loading" | "looking up" | "removing";
  readonly signal: AbortSignal | undefined;
  readonly sizeBytes?: number;
  perform(session: SftpSession, path: string): Promise<T>;
}

/** A repository in a folder of an SFTP server, with restic's layout. */
export class SftpBackend implements Backend {
  readonly location: string;
  readonly connections: number;
  readonly isRemote: boolean = true;
  readonly pacesTransfers: boolean = true;
  /** A server shows its own disk: what was saved is listed. */
  readonly listLagMs: number = 0;
  readonly #root: string;
  readonly #pool: SessionPool;
  readonly #leftOvers: LeftOvers = new LeftOvers();
  readonly #underWay: Set<Promise<unknown>> = new Set();
  #modes: LayoutModes = modesFor(undefined);
  #hasConfig = false;
  #canSyncFolders = false;
  #space: FileSystemSpace | undefined;
  #closed = false;

  private constructor(options: SftpBackendOptions) {
    this.location = options.location;
    this.connections = options.connections;
    this.#root = options.root;
    this.#pool = options.pool;
  }

  /** The backend on a folder that exists. It owns the pool from now on. */
  static async open(options: SftpBackendOptions): Promise<SftpBackend> {
    const backend = new SftpBackend(options);
    await options.pool.use({ signal: options.signal, isHeavy: false }, (session) =>
      Promise.all([backend.#learn(session), backend.#tryFolderSync(session)]),
    );
    return backend;
  }

  save(file: RepositoryFile, data: Uint8Array, options: SaveOptions = {}): Promise<void> {
    const { pace, signal } = options;
    const perform = async (session: SftpSession): Promise<void> => {
      await saveFile({
        session,
        root: this.#root,
        modes: this.#modes,
        file,
        data,
        pace,
        signal,
        canSyncFolders: this.#canSyncFolders,
        assertThere: () => this.#assertThere(session),
        onLeftOver: (path) => this.#leftOvers.add(path),
        onSpace: (space) => {
          this.#space = space;
        },
      });
      if (file.type === "config") await this.#learn(session);
    };
    return this.#run({ file, doing: "saving", signal, sizeBytes: data.byteLength, perform });
  }

  load(file: RepositoryFile, options: LoadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    const perform = async (
      session: SftpSession,
      path: string,
    ): Promise<Uint8Array<ArrayBuffer>> => {
      assertLoadRange(options);
      return await loadFile(session, path, file, options);
    };
    return this.#run({ file, doing: "loading", signal: options.signal, perform });
  }

  stat(file: RepositoryFile, options: OperationOptions = {}): Promise<{ sizeBytes: number }> {
    const perform = async (session: SftpSession, path: string): Promise<{ sizeBytes: number }> => {
      const attributes = await session.client.stat(path);
      if (!isRegularFile(attributes)) throw notAFile(path);
      return { sizeBytes: attributes.sizeBytes ?? 0 };
    };
    return this.#run({ file, doing: "looking up", signal: options.signal, perform });
  }

  remove(file: RepositoryFile, options: OperationOptions = {}): Promise<void> {
    const perform = (session: SftpSession, path: string): Promise<void> =>
      this.#remove(session, file, path);
    return this.#run({ file, doing: "removing", signal: options.signal, perform });
  }

  async *list(type: FileType, options: OperationOptions = {}): AsyncGenerator<ListedFile> {
    const { signal } = options;
    if (!FILE_TYPES.includes(type)) assertRepositoryFile({ type, name: "" });
    if (this.#closed) throw backendClosed(this.location);
    const use = <T>(perform: (session: SftpSession) => Promise<T>): Promise<T> =>
      this.#track(this.#pool.use({ signal, isHeavy: false }, perform));
    try {
      // A list of a bare mount point would be empty, and look like a repository without files.
      await use((session) => this.#assertThere(session));
      for await (const file of listFiles({ root: this.#root, type, signal, use })) {
        signal?.throwIfAborted();
        yield file;
      }
      await use((session) => this.#assertThere(session));
    } catch (error) {
      const path = typeFolder(this.#root, type);
      throw this.#explain({ doing: `listing ${type} files`, path }, error, signal);
    }
  }

  readonly leftOvers = async (options: OperationOptions = {}): Promise<LeftOver[]> => {
    const { signal } = options;
    const found = await this.#look("looking for left-over files", signal, (session) =>
      findTemporaries(session, this.#root, signal),
    );
    return found.map((file) => ({
      path: file.path,
      sizeBytes: file.sizeBytes,
      modifiedMs: file.mtime * 1000,
      remove: (removal = {}) =>
        this.#look("removing a left-over file", removal.signal, (session) =>
          removeTemporary(session, file),
        ),
    }));
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#underWay);
    await this.#pool[Symbol.asyncDispose]();
  }

  /** What all calls have in common: refusal of bad names, of closed backends, and good errors. */
  async #run<T>(call: Call<T>): Promise<T> {
    const { file, doing, signal, sizeBytes } = call;
    assertRepositoryFile(file);
    if (this.#closed) throw backendClosed(this.location);
    const path = pathOf(this.#root, file);
    const isHeavy = doing === "saving" || doing === "loading";
    const perform = async (session: SftpSession): Promise<T> => {
      try {
        return await call.perform(session, path);
      } catch (error) {
        if (error instanceof NameTaken) throw fileExists(file, this.location, error.cause);
        if (!hasStatus(error, "noSuchFile")) throw error;
        // Is only this file missing, or the whole repository?
        await this.#assertThere(session);
        throw doing === "saving" ? error : fileNotFound(file, this.location, error);
      }
    };
    try {
      return await this.#track(this.#pool.use({ signal, isHeavy }, perform));
    } catch (error) {
      throw this.#explain({ doing: `${doing} ${fileLabel(file)}`, path, sizeBytes }, error, signal);
    }
  }

  /** A call that concerns no file of the repository. */
  async #look<T>(
    doing: string,
    signal: AbortSignal | undefined,
    perform: (session: SftpSession) => Promise<T>,
  ): Promise<T> {
    if (this.#closed) throw backendClosed(this.location);
    try {
      return await this.#track(
        this.#pool.use({ signal, isHeavy: false }, async (session) => {
          await this.#assertThere(session);
          return await perform(session);
        }),
      );
    } catch (error) {
      throw this.#explain({ doing, path: this.#root }, error, signal);
    }
  }

  async #track<T>(call: Promise<T>): Promise<T> {
    this.#underWay.add(call);
    try {
      return await call;
    } finally {
      this.#underWay.delete(call);
    }
  }

  #explain(
    operation: { doing: string; path: string; sizeBytes?: number | undefined },
    error: unknown,
    signal: AbortSignal | undefined,
  ): unknown {
    // An abort is no failure of the store: the reason is the caller's own.
    if (signal?.aborted === true && error === signal.reason) return error;
    const space = operation.sizeBytes === undefined ? undefined : this.#space;
    return backendError({ ...operation, location: this.location, space }, error);
  }

  async #remove(session: SftpSession, file: RepositoryFile, path: string): Promise<void> {
    try {
      await session.client.remove(path);
    } catch (error) {
      if (!hasStatus(error, "noSuchFile")) throw error;
      await this.#assertThere(session);
      return;
    }
    if (file.type === "config") this.#hasConfig = false;
    // An old index that came back after a power cut would name packs that prune removed later.
    if (this.#canSyncFolders && file.type !== "pack") {
      await syncFolder(session, folderOf(this.#root, file));
    }
    await this.#leftOvers.remove(session);
  }

  async #assertThere(session: SftpSession): Promise<void> {
    if (!this.#hasConfig) return;
    try {
      await session.client.stat(pathOf(this.#root, CONFIG));
    } catch (error) {
      if (hasStatus(error, "noSuchFile")) throw repositoryGone(this.location, error);
      throw error;
    }
  }

  async #learn(session: SftpSession): Promise<void> {
    try {
      const attributes = await session.client.stat(pathOf(this.#root, CONFIG));
      this.#modes = modesFor(attributes.mode);
      this.#hasConfig = true;
    } catch (error) {
      if (!(error instanceof SftpStatusError)) throw error;
    }
  }

  /** Where it works at the beginning, a later failure is one; where it does not, it never will. */
  async #tryFolderSync(session: SftpSession): Promise<void> {
    if (!session.client.has("fsync@openssh.com")) return;
    try {
      await syncFolder(session, this.#root);
      this.#canSyncFolders = true;
    } catch (error) {
      if (!(error instanceof SftpStatusError)) throw error;
    }
  }
}

export interface SftpBackendOptions extends OperationOptions {
  readonly location: string;
  /** The repository's folder on the server. */
  readonly root: string;
  readonly connections: number;
  readonly pool: SessionPool;
}
