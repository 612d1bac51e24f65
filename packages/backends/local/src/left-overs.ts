import { join } from "node:path";
import {
  FILE_TYPES,
  isTemporaryFileName,
  LEFT_OVERS_FOUND_MAX,
  LOCAL_STATS_IN_FLIGHT_MAX,
} from "@comeback/core";
import { errorName } from "./file-system.ts";
import type { FileSystem } from "./file-system.ts";
import { typeFolder } from "./layout.ts";
import { namesIn } from "./list-files.ts";

/** A temporary file of a save. */
export interface FoundTemporary {
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/** Every temporary file of a save of ours in the folders of a repository, up to a bound. */
export async function findTemporaries(
  fileSystem: FileSystem,
  root: string,
  signal: AbortSignal | undefined,
): Promise<FoundTemporary[]> {
  const data = typeFolder(root, "pack");
  const spread = (await namesIn(fileSystem, data)).filter((name) => /^[0-9a-f]{2}$/.test(name));
  const others = FILE_TYPES.filter((type) => type !== "pack");
  const folders = [
    ...others.map((type) => typeFolder(root, type)),
    ...spread.map((name) => join(data, name)),
  ];
  const paths: string[] = [];
  for (const folder of folders) {
    signal?.throwIfAborted();
    for (const name of await namesIn(fileSystem, folder)) {
      if (isTemporaryFileName(name)) paths.push(join(folder, name));
    }
    if (paths.length >= LEFT_OVERS_FOUND_MAX) break;
  }
  paths.length = Math.min(paths.length, LEFT_OVERS_FOUND_MAX);
  const found: FoundTemporary[] = [];
  for (let i = 0; i < paths.length; i += LOCAL_STATS_IN_FLIGHT_MAX) {
    const some = paths.slice(i, i + LOCAL_STATS_IN_FLIGHT_MAX);
    const looked = await Promise.all(some.map((path) => temporaryAt(fileSystem, path)));
    for (const file of looked) if (file !== undefined) found.push(file);
  }
  return found;
}

/** Removes it, unless it was written to since it was found. */
export async function removeTemporary(
  fileSystem: FileSystem,
  { path, sizeBytes, modifiedMs }: FoundTemporary,
): Promise<void> {
  const now = await temporaryAt(fileSystem, path);
  if (now?.modifiedMs !== modifiedMs || now.sizeBytes !== sizeBytes) return;
  try {
    await fileSystem.unlink(path);
  } catch (error) {
    if (errorName(error) !== "ENOENT") throw error;
  }
}

async function temporaryAt(
  fileSystem: FileSystem,
  path: string,
): Promise<FoundTemporary | undefined> {
  try {
    const stats = await fileSystem.lstat(path);
    if (!stats.isFile()) return undefined;
    return { path, sizeBytes: stats.size, modifiedMs: stats.mtimeMs };
  } catch (error) {
    if (errorName(error) === "ENOENT") return undefined;
    throw error;
  }
}
