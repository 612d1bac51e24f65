import { errorName, isNotSupported } from "./file-system.ts";
import type { FileSystem } from "./file-system.ts";

/** Publications under way in this process that need two steps, `stat` and `rename`. */
const claimed: Set<string> = new Set();

/**
 * Gives a finished file its name, only if the name is free (`EEXIST` otherwise). `link` does that
 * in one step; `rename`, which restic uses, would replace what is there.
 */
export async function publish(
  fileSystem: FileSystem,
  temporary: string,
  path: string,
): Promise<void> {
  try {
    await fileSystem.link(temporary, path);
  } catch (error) {
    if (!isWithoutHardLinks(error)) throw error;
    await publishWithoutLinks(fileSystem, temporary, path);
    return;
  }
  // Published: a second name that cannot be removed is only litter, and skipped by every list.
  await fileSystem.unlink(temporary).catch(() => undefined);
}

/** FAT answers EPERM, some FUSE and SMB mounts "not supported". */
function isWithoutHardLinks(error: unknown): boolean {
  return isNotSupported(error) || ["EPERM", "EMLINK", "EXDEV"].includes(errorName(error));
}

async function publishWithoutLinks(
  fileSystem: FileSystem,
  temporary: string,
  path: string,
): Promise<void> {
  try {
    await fileSystem.renameWithoutReplacing(temporary, path);
  } catch (error) {
    if (!isNotSupported(error)) throw error;
    await renameToFreeName(fileSystem, temporary, path);
  }
}

/**
 * Two processes could both find the name free; but then both hold the same bytes, since names are
 * hashes of contents, except for a config: two `init`s at the same moment on such a file system.
 */
async function renameToFreeName(
  fileSystem: FileSystem,
  temporary: string,
  path: string,
): Promise<void> {
  if (claimed.has(path) || (await isThere(fileSystem, path)) || claimed.has(path)) {
    throw Object.assign(new Error(`EEXIST: file already exists, '${path}'`), { code: "EEXIST" });
  }
  claimed.add(path);
  try {
    await fileSystem.rename(temporary, path);
  } finally {
    claimed.delete(path);
  }
}

async function isThere(fileSystem: FileSystem, path: string): Promise<boolean> {
  try {
    await fileSystem.lstat(path);
    return true;
  } catch (error) {
    if (errorName(error) === "ENOENT") return false;
    throw error;
  }
}
