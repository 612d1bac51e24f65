import type { ByteString } from "@comeback/core";
import {
  AT_FDCWD,
  chmodAt,
  close,
  isSystemCallError,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openAt,
  readDirectory,
  unlinkAt,
} from "@comeback/platform";

/**
 * Removes a folder of ours with all that is in it: names of any bytes, paths of any length,
 * folders without permissions. Follows no link.
 */
export function removeTree(path: ByteString): void {
  try {
    removeFolder(AT_FDCWD, path);
  } catch (error) {
    if (!isSystemCallError(error, "ENOENT")) throw error;
  }
}

function removeFolder(parentFd: number, name: ByteString): void {
  const dirFd = openFolder(parentFd, name);
  try {
    for (const entry of readDirectory(dirFd)) {
      if (entry.type === "dir") removeFolder(dirFd, entry.name);
      else removeEntry(dirFd, entry.name);
    }
  } finally {
    close(dirFd);
  }
  unlinkAt(parentFd, name, { directory: true });
}

/** A file system that does not tell kinds in its listings tells them when asked to unlink. */
function removeEntry(dirFd: number, name: ByteString): void {
  try {
    unlinkAt(dirFd, name);
  } catch (error) {
    if (!isSystemCallError(error, "EISDIR")) throw error;
    removeFolder(dirFd, name);
  }
}

function openFolder(parentFd: number, name: ByteString): number {
  const flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  try {
    return openAt(parentFd, name, flags);
  } catch (error) {
    if (!isSystemCallError(error, "EACCES")) throw error;
    chmodAt(parentFd, name, 0o700);
    return openAt(parentFd, name, flags);
  }
}
