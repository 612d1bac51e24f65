import { dirname, join } from "node:path";
import {
  assertLoadRange,
  assertRepositoryFile,
  backendClosed,
  FILE_TYPES,
  fileExists,
  fileLabel,
  fileNotFound,
  LIST_LAG_DEFAULT_MS,
  LOCAL_CONNECTIONS,
} from "@comeback/core";
import type {
  Backend,
  FileType,
  LeftOver,
  ListedFile,
  LoadOptions,
  OperationOptions,
  RepositoryFile,
} from "@comeback/core";
import { errorName, syncFolder } from "./file-system.ts";
import type { FileSystem } from "./file-system.ts";
import { CONFIG_NAME, modesFor, pathOf, typeFolder } from "./layout.ts";
import type { LayoutModes } from "./layout.ts";
import { findTemporaries, removeTemporary } from "./left-overs.ts";
import { listFiles } from "./list-files.ts";
import { loadFile, notAFile } from "./load-file.ts";
import { backendError } from "./local-errors.ts";
import type { FailedOperation } from "./local-errors.ts";
import { MountGuard } from "./mount-guard.ts";
import { isOnRemoteFileSystem } from "./remote-file-systems.ts";
import { saveFile } from "./save-file.ts";

interface Call<T> {
  readonly file: RepositoryFile;
  readonly doing: "saving" | "loading" | "looking up" | "removing";
  readonly signal: AbortSignal | undefined;
  readonly sizeBytes?: number;
  perform(path: string): Promise<T>;
}

/** A repository in a folder, with restic's layout. Made by `localBackendFactory`. */
export class LocalBackend implements Backend {
  readonly location: string;
  readonly connections: number = LOCAL_CONNECTIONS;
  readonly isRemote: boolean;
  readonly listLagMs: number;
  readonly #fileSystem: FileSystem;
  readonly #guard: MountGuard;
  readonly #underWay: Set<Promise<unknown>> = new Set();
  #modes: LayoutModes = modesFor(undefined);
  #closed = false;

  private constructor(root: string, fileSystem: FileSystem, isRemote: boolean) {
    this.location = root;
    this.isRemote = isRemote;
    // Network file systems keep the names in a folder for a while.
    this.listLagMs = isRemote ? LIST_LAG_DEFAULT_MS : 0;
    this.#fileSystem = fileSystem;
    this.#guard = new MountGuard(fileSystem, root);
  }

  /** The backend on `root`, an absolute path of a folder that exists. */
  static async open(root: string, fileSystem: FileSystem): Promise<LocalBackend> {
    const isRemote = await isOnRemoteFileSystem(fileSystem, root);
    const backend = new LocalBackend(root, fileSystem, isRemote);
    await backend.#learn();
    return backend;
  }

  save(file: RepositoryFile, data: Uint8Array, options: OperationOptions = {}): Promise<void> {
    const { signal } = options;
    const perform = async (): Promise<void> => {
      const [fileSystem, root, modes] = [this.#fileSystem, this.location, this.#modes];
      const assertSamePlace = (): Promise<void> => this.#guard.check(file.type);
      await saveFile({ fileSystem, root, modes, file, data, signal, assertSamePlace });
      if (file.type === "config") await this.#learn();
    };
    return this.#run({ file, doing: "saving", signal, sizeBytes: data.byteLength, perform });
  }

  load(file: RepositoryFile, options: LoadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    const perform = async (path: string): Promise<Uint8Array<ArrayBuffer>> => {
      assertLoadRange(options);
      return await loadFile(this.#fileSystem, path, file, options);
    };
    return this.#run({ file, doing: "loading", signal: options.signal, perform });
  }

  stat(file: RepositoryFile, options: OperationOptions = {}): Promise<{ sizeBytes: number }> {
    const perform = async (path: string): Promise<{ sizeBytes: number }> => {
      const stats = await this.#fileSystem.stat(path);
      if (stats.isFile()) return { sizeBytes: stats.size };
      throw notAFile(path);
    };
    return this.#run({ file, doing: "looking up", signal: options.signal, perform });
  }

  remove(file: RepositoryFile, options: OperationOptions = {}): Promise<void> {
    const perform = (path: string): Promise<void> => this.#remove(file, path);
    return this.#run({ file, doing: "removing", signal: options.signal, perform });
  }

  async *list(type: FileType, options: OperationOptions = {}): AsyncGenerator<ListedFile> {
    const { signal } = options;
    if (!FILE_TYPES.includes(type)) assertRepositoryFile({ type, name: "" });
    if (this.#closed) throw backendClosed(this.location);
    const path = typeFolder(this.location, type);
    try {
      signal?.throwIfAborted();
      // A list of a bare mount point would be empty, and look like a repository without files.
      await this.#guard.check(type);
      yield* listFiles({ fileSystem: this.#fileSystem, root: this.location, type, signal });
      await this.#guard.check(type);
    } catch (error) {
      throw this.#explain({ doing: `listing ${type} files`, path }, error, signal);
    }
  }

  readonly leftOvers = async (options: OperationOptions = {}): Promise<LeftOver[]> => {
    const { signal } = options;
    const found = await this.#look("looking for left-over files", signal, () =>
      findTemporaries(this.#fileSystem, this.location, signal),
    );
    return found.map((file) => ({
      ...file,
      remove: (removal = {}) =>
        this.#look("removing a left-over file", removal.signal, () =>
          removeTemporary(this.#fileSystem, file),
        ),
    }));
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#underWay);
  }

  /** What all calls have in common: refusal of bad names, of closed backends, and good errors. */
  async #run<T>(call: Call<T>): Promise<T> {
    const { file, doing, signal, sizeBytes } = call;
    assertRepositoryFile(file);
    if (this.#closed) throw backendClosed(this.location);
    signal?.throwIfAborted();
    const path = pathOf(this.location, file);
    const result = call.perform(path);
    this.#underWay.add(result);
    try {
      return await result;
    } catch (error) {
      const operation = { doing: `${doing} ${fileLabel(file)}`, path };
      if (errorName(error) === "EEXIST") throw fileExists(file, this.location, error);
      if (errorName(error) === "ENOENT") {
        // Is only this file missing, or the whole repository?
        await this.#guard.check(file.type).catch((why: unknown) => {
          throw this.#explain(operation, why, signal);
        });
        if (doing !== "saving") throw fileNotFound(file, this.location, error);
      }
      const size = sizeBytes === undefined ? {} : { sizeBytes };
      throw this.#explain({ ...operation, ...size }, error, signal);
    } finally {
      this.#underWay.delete(result);
    }
  }

  /** A call that concerns no file of the repository. */
  async #look<T>(
    doing: string,
    signal: AbortSignal | undefined,
    perform: () => Promise<T>,
  ): Promise<T> {
    if (this.#closed) throw backendClosed(this.location);
    signal?.throwIfAborted();
    const result = this.#guard.check("pack").then(perform);
    this.#underWay.add(result);
    try {
      return await result;
    } catch (error) {
      throw this.#explain({ doing, path: this.location }, error, signal);
    } finally {
      this.#underWay.delete(result);
    }
  }

  #explain(
    operation: Omit<FailedOperation, "location">,
    error: unknown,
    signal: AbortSignal | undefined,
  ): unknown {
    // An abort is no failure of the store: the reason is the caller's own.
    if (signal?.aborted === true && error === signal.reason) return error;
    return backendError({ ...operation, location: this.location }, error);
  }

  async #remove(file: RepositoryFile, path: string): Promise<void> {
    try {
      await this.#unlink(path);
    } catch (error) {
      if (errorName(error) !== "ENOENT") throw error;
      await this.#guard.check(file.type);
      return;
    }
    // An old index that came back after a power cut would name packs that prune removed later.
    if (file.type !== "pack") await syncFolder(this.#fileSystem, dirname(path));
    // A new config takes its place, and who could read the old one can read that.
    if (file.type === "config") await this.#guard.remember();
  }

  async #unlink(path: string): Promise<void> {
    try {
      await this.#fileSystem.unlink(path);
    } catch (error) {
      if (errorName(error) !== "EACCES" && errorName(error) !== "EPERM") throw error;
      // SMB servers do not remove a read-only file.
      await this.#fileSystem.chmod(path, 0o600).catch(() => undefined);
      await this.#fileSystem.unlink(path);
    }
  }

  async #learn(): Promise<void> {
    await this.#guard.remember();
    const config = join(this.location, CONFIG_NAME);
    const stats = await this.#fileSystem.stat(config).catch(() => undefined);
    this.#modes = modesFor(stats?.mode);
  }
}
