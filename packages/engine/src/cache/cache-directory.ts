import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { CACHE_UNUSED_MAX_MS } from "@comeback/core";
import type { Clock } from "@comeback/core";

/** The format of https://bford.info/cachedir/: backup programs leave such a folder out. */
const TAG_NAME = "CACHEDIR.TAG";
const TAG =
  "Signature: 8a477f597d28d172789f06886806bc55\n# Comeback's cache of index, snapshots and trees.\n";

/** Marks a folder that is ours to remove, whatever else lies beside it. */
const MARKER_NAME = "comeback-cache";
const MARKER = "1\n";

const REPOSITORY_ID = /^[0-9a-f]{64}$/;

/** Where caches are kept unless the user says otherwise. */
export function defaultCacheDirectory(
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const own = environment["COMEBACK_CACHE_DIR"];
  if (own !== undefined && own !== "") return own;
  const shared = environment["XDG_CACHE_HOME"];
  // The XDG specification: a path that is not absolute is to be ignored.
  const base = shared?.startsWith("/") === true ? shared : join(homedir(), ".cache");
  return join(base, "comeback");
}

/** Makes the folder of one repository's cache, and notes that it is in use. */
export async function prepareCacheDirectory(
  directory: string,
  repositoryId: string,
  folders: readonly string[],
  clock: Clock,
): Promise<string> {
  if (!REPOSITORY_ID.test(repositoryId)) throw new Error("that is not a repository's id");
  const own = join(directory, repositoryId);
  for (const folder of folders) await makeFolder(join(own, folder));
  await writeIfMissing(join(directory, TAG_NAME), TAG);
  await writeIfMissing(join(own, MARKER_NAME), MARKER);
  const now = new Date(clock.now());
  await utimes(own, now, now);
  return own;
}

/** Removes the caches of repositories that nobody has opened for long. Never fails. */
export async function removeUnusedCaches(
  directory: string,
  repositoryId: string,
  clock: Clock,
): Promise<void> {
  for (const cache of await listCaches(directory)) {
    if (cache.repositoryId === repositoryId) continue;
    if (cache.usedAtMs > clock.now() - CACHE_UNUSED_MAX_MS) continue;
    // In use, or removed by another process: it may stay.
    await removeCache(directory, cache.repositoryId).catch(() => undefined);
  }
}

/** The cache of one repository. */
export interface CacheFolder {
  readonly repositoryId: string;
  readonly path: string;
  /** When a command opened it last. */
  readonly usedAtMs: number;
}

/** The caches in a folder: what is not marked as ours is none. */
export async function listCaches(directory: string): Promise<CacheFolder[]> {
  const caches: CacheFolder[] = [];
  for (const name of await readdir(directory).catch(() => [])) {
    if (!REPOSITORY_ID.test(name)) continue;
    const path = join(directory, name);
    try {
      await stat(join(path, MARKER_NAME));
      caches.push({ repositoryId: name, path, usedAtMs: (await stat(path)).mtimeMs });
    } catch {
      // Removed by another process, or not ours.
    }
  }
  return caches;
}

/** Bytes of the files of a cache. */
export async function cacheSizeBytes({ path }: CacheFolder): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const stats = await stat(join(entry.parentPath, entry.name)).catch(() => undefined);
    bytes += stats?.size ?? 0;
  }
  return bytes;
}

/** Removes the cache of a repository. */
export async function removeCache(directory: string, repositoryId: string): Promise<void> {
  // Out of the way first: a process that opens it now starts afresh, not in a half of it.
  const doomed = join(directory, `${repositoryId}.removed-${String(process.pid)}`);
  await rename(join(directory, repositoryId), doomed);
  await rm(doomed, { recursive: true, force: true });
}

/**
 * Makes a folder and its parents. Node's own recursive `mkdir` never ends where a parent exists and
 * takes no folders (below /proc), and calls a read-only file system a missing folder.
 */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    if (code !== "ENOENT" || dirname(folder) === folder) throw error;
    await makeFolder(dirname(folder));
    await mkdir(folder, { mode: 0o700 });
  }
}

async function writeIfMissing(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
