import { dirname, resolve } from "node:path";
import { ComebackError, ExitCode } from "@comeback/core";
import type { Backend, BackendFactory, OpenBackendOptions } from "@comeback/core";
import { errorName, nodeFileSystem, syncFolder } from "./file-system.ts";
import type { FileSystem } from "./file-system.ts";
import { layoutFolders, modesFor, pathOf, typeFolder } from "./layout.ts";
import { LocalBackend } from "./local-backend.ts";
import { backendError } from "./local-errors.ts";
import { LOCAL_SETTINGS, readRequiredPlace } from "./required-place.ts";
import { waitForPlace } from "./wait-for-place.ts";

const CONFIG = { type: "config", name: "" } as const;

/** Repositories in a folder: a plain path, or `local:PATH` as restic also takes it. */
export const localBackendFactory: BackendFactory = {
  scheme: "",
  settings: LOCAL_SETTINGS,
  create: (location, options) => createLocal(location, options),
  open: (location, options) => openLocal(location, options),
  removeEmpty: (location) => removeEmptyLocal(location),
};

function rootOf(location: string): string {
  const path = location.startsWith("local:") ? location.slice("local:".length) : location;
  if (path === "" || path.includes("\0")) {
    throw new ComebackError("option.invalid", "the repository's path is empty or has a NUL byte", {
      next: "name a folder, for example `-r /mnt/backup/comeback`",
    });
  }
  return resolve(path);
}

/** What the settings require of the place, before anything is looked for or written there. */
async function requirePlace(root: string, options: OpenBackendOptions): Promise<void> {
  const required = readRequiredPlace(options.settings ?? new Map<string, string>());
  if (required !== undefined) await waitForPlace(root, required, options);
}

/** Makes the empty layout, durably. */
export async function createLocal(
  location: string,
  options: OpenBackendOptions = {},
  fileSystem: FileSystem = nodeFileSystem,
): Promise<Backend> {
  const root = rootOf(location);
  await requirePlace(root, options);
  try {
    if (await isThere(fileSystem, pathOf(root, CONFIG))) {
      throw new ComebackError("repository.exists", `there is already a repository at ${root}`, {
        next: "use it as it is, or choose another folder",
      });
    }
    const mode = modesFor(undefined).folder;
    const changed = new Set([typeFolder(root, "pack"), root]);
    await makeFolder(fileSystem, root, mode, changed);
    for (const folder of layoutFolders(root).slice(1)) {
      options.signal?.throwIfAborted();
      await makeFolder(fileSystem, folder, mode, changed);
    }
    for (const folder of changed) await syncFolder(fileSystem, folder);
    return await LocalBackend.open(root, fileSystem);
  } catch (error) {
    options.signal?.throwIfAborted();
    throw explainRoot(root, "creating the repository", error);
  }
}

/** Opens an existing layout. */
export async function openLocal(
  location: string,
  options: OpenBackendOptions = {},
  fileSystem: FileSystem = nodeFileSystem,
): Promise<Backend> {
  const root = rootOf(location);
  options.signal?.throwIfAborted();
  await requirePlace(root, options);
  try {
    if (!(await isThere(fileSystem, root))) throw noRepository(root, "the folder does not exist");
    if (!(await isThere(fileSystem, pathOf(root, CONFIG)))) {
      throw noRepository(root, "there is no file named config; is the disk or share mounted?");
    }
    return await LocalBackend.open(root, fileSystem);
  } catch (error) {
    throw explainRoot(root, "opening the repository", error);
  }
}

/** Takes away the folders that `createLocal` made, as far as nothing is in them. */
async function removeEmptyLocal(location: string): Promise<void> {
  const root = rootOf(location);
  try {
    for (const folder of layoutFolders(root).reverse()) {
      await nodeFileSystem.rmdir(folder).catch((error: unknown) => {
        if (!["ENOENT", "ENOTEMPTY", "EEXIST"].includes(errorName(error))) throw error;
      });
    }
  } catch (error) {
    throw explainRoot(root, "removing the empty folders", error);
  }
}

function noRepository(root: string, why: string): ComebackError {
  return new ComebackError("repository.none", `there is no repository at ${root}`, {
    why,
    next: `check the path, or make a new repository with \`comeback -r ${root} init\``,
    exitCode: ExitCode.noRepository,
  });
}

function explainRoot(root: string, doing: string, error: unknown): ComebackError {
  if (errorName(error) === "ENOTDIR" || errorName(error) === "EEXIST") {
    return noRepository(root, "the path names a file, not a folder");
  }
  return backendError({ doing, path: root, location: root }, error);
}

async function isThere(fileSystem: FileSystem, path: string): Promise<boolean> {
  try {
    await fileSystem.stat(path);
    return true;
  } catch (error) {
    if (errorName(error) === "ENOENT") return false;
    throw error;
  }
}

/**
 * Makes a folder and its parents, and notes whose entries changed. Node's own recursive `mkdir`
 * reports a read-only file system as a missing folder.
 */
async function makeFolder(
  fileSystem: FileSystem,
  folder: string,
  mode: number,
  changed: Set<string>,
): Promise<void> {
  try {
    await fileSystem.mkdir(folder, { mode });
  } catch (error) {
    if (errorName(error) === "EEXIST") return;
    if (errorName(error) !== "ENOENT" || dirname(folder) === folder) throw error;
    await makeFolder(fileSystem, dirname(folder), mode, changed);
    await fileSystem.mkdir(folder, { mode });
  }
  changed.add(dirname(folder));
}
