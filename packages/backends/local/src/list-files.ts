import { join } from "node:path";
import { isRepositoryFileName, LOCAL_STATS_IN_FLIGHT_MAX } from "@comeback/core";
import type { FileType, ListedFile } from "@comeback/core";
import { errorName } from "./file-system.ts";
import type { FileSystem } from "./file-system.ts";
import { CONFIG_NAME, typeFolder } from "./layout.ts";

export interface ListRequest {
  readonly fileSystem: FileSystem;
  readonly root: string;
  readonly type: FileType;
  readonly signal: AbortSignal | undefined;
}

/** The files of one type; whatever else lies in their folders is passed over. */
export async function* listFiles(request: ListRequest): AsyncGenerator<ListedFile> {
  const { fileSystem, root, type } = request;
  const folder = typeFolder(root, type);
  if (type === "config") {
    const config = await listed(fileSystem, join(folder, CONFIG_NAME), "");
    if (config !== undefined) yield config;
  } else if (type === "pack") {
    for (const name of await namesIn(fileSystem, folder)) {
      // A pack in the folder of others cannot be loaded, so it is not listed either.
      if (/^[0-9a-f]{2}$/.test(name)) yield* listFolder(request, join(folder, name), name);
    }
  } else {
    yield* listFolder(request, folder, "");
  }
}

async function* listFolder(
  request: ListRequest,
  folder: string,
  prefix: string,
): AsyncGenerator<ListedFile> {
  const { fileSystem, signal } = request;
  const names = await namesIn(fileSystem, folder);
  const ours = names.filter((name) => isRepositoryFileName(name) && name.startsWith(prefix));
  for (let i = 0; i < ours.length; i += LOCAL_STATS_IN_FLIGHT_MAX) {
    signal?.throwIfAborted();
    const some = ours.slice(i, i + LOCAL_STATS_IN_FLIGHT_MAX);
    const files = await Promise.all(
      some.map((name) => listed(fileSystem, join(folder, name), name)),
    );
    for (const file of files) if (file !== undefined) yield file;
  }
}

async function listed(
  fileSystem: FileSystem,
  path: string,
  name: string,
): Promise<ListedFile | undefined> {
  try {
    const stats = await fileSystem.stat(path);
    return stats.isFile() ? { name, sizeBytes: stats.size } : undefined;
  } catch (error) {
    // Removed by another process since the folder was read.
    if (errorName(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** A folder that is not there is empty: copies through an object store come back without such. */
export async function namesIn(fileSystem: FileSystem, folder: string): Promise<string[]> {
  try {
    return await fileSystem.readdir(folder);
  } catch (error) {
    if (errorName(error) === "ENOENT" || errorName(error) === "ENOTDIR") return [];
    throw error;
  }
}
