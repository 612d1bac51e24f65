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
  for (const name of await readdir(directory).catch(() => [])) {
    if (name === repositoryId || !REPOSITORY_ID.test(name)) continue;
    const folder = join(directory, name);
    try {
      if ((await stat(folder)).mtimeMs > clock.now() - CACHE_UNUSED_MAX_MS) continue;
      await stat(join(folder, MARKER_NAME));
      // Out of the way first: a process that opens it now starts afresh, not in a half of it.
      const doomed = join(directory, `${name}.removed-${String(process.pid)}`);
      await rename(folder, doomed);
      await rm(doomed, { recursive: true, force: true });
    } catch {
      // In use, removed by another process, or not ours: it may stay.
    }
  }
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
