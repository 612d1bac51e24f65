import { constants } from "node:os";
import type { ByteString } from "@comeback/core";
import {
  chmodAt,
  close,
  ftruncate,
  isSystemCallError,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
  openAt,
  readDirectory,
  S_IFDIR,
  S_IFREG,
  statAtIfExists,
  statFd,
  SystemCallError,
  unlinkAt,
} from "@comeback/platform";
import { creationMode, type Identity, type KnownState, kindOf } from "./entry-attributes.ts";
import { FileAction, type TaskFile } from "./tasks.ts";

/** Opens a file for its blobs as its action says. Never through a symlink, never what is shared. */
export function openForWriting(dirFd: number, file: TaskFile, who: Identity): number {
  switch (file.action) {
    case FileAction.create:
      return create(dirFd, file, who);
    case FileAction.replace:
    case FileAction.replaceAll:
      removeInTheWay(dirFd, file.name, file.action === FileAction.replaceAll);
      return create(dirFd, file, who);
    case FileAction.update:
      return openExisting(dirFd, file);
    case FileAction.attributes:
      throw new Error("a file whose content is right is not opened for writing");
  }
}

/** What a file that `openForWriting` opened has already. */
export function stateAfterOpening(file: TaskFile, who: Identity): KnownState {
  const isNew = file.action !== FileAction.update;
  const plain = isNew && file.plainDirectory;
  const mode = plain ? creationMode(file.attributes, who, true) & ~who.umask : -1;
  return { plain, mode };
}

function create(dirFd: number, file: TaskFile, who: Identity): number {
  const mode = creationMode(file.attributes, who, file.plainDirectory);
  return openAt(dirFd, file.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
}

function openExisting(dirFd: number, file: TaskFile): number {
  const { name, sizeBytes } = file;
  const fd = openThoughReadOnly(dirFd, name);
  try {
    const status = statFd(fd);
    // It was looked at before: whoever swapped it meanwhile must not get anything written.
    if (kindOf(status.mode) !== S_IFREG || status.links !== 1) {
      throw new SystemCallError(constants.errno.EEXIST, "open", name);
    }
    if (status.sizeBytes !== sizeBytes) ftruncate(fd, sizeBytes);
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

function openThoughReadOnly(dirFd: number, name: ByteString): number {
  const flags = O_WRONLY | O_NOFOLLOW | O_NONBLOCK;
  try {
    return openAt(dirFd, name, flags);
  } catch (error) {
    if (!isSystemCallError(error, "EACCES")) throw error;
    chmodAt(dirFd, name, 0o600);
    return openAt(dirFd, name, flags);
  }
}

/**
 * Removes what is where a file must go. A directory only goes when it is empty, or with
 * `everything` (restic does so under `--delete`).
 */
export function removeInTheWay(dirFd: number, name: ByteString, everything: boolean): void {
  if (everything) removeTree(dirFd, name);
  else if (!removeUnlessDirectory(dirFd, name)) unlinkAt(dirFd, name, { directory: true });
}

/**
 * Removes an entry with everything below it, on its own file system: what is mounted below stays,
 * and makes this fail with EXDEV.
 */
export function removeTree(dirFd: number, name: ByteString): void {
  removeOn(statFd(dirFd).deviceId, dirFd, name);
}

function removeOn(deviceId: number | bigint, dirFd: number, name: ByteString): void {
  if (removeUnlessDirectory(dirFd, name)) return;
  const fd = openAt(dirFd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    if (statFd(fd).deviceId !== deviceId) {
      throw new SystemCallError(constants.errno.EXDEV, "unlinkat", name);
    }
    for (const entry of readDirectory(fd)) removeOn(deviceId, fd, entry.name);
  } finally {
    close(fd);
  }
  unlinkAt(dirFd, name, { directory: true });
}

/** Whether the name is gone; false where it is a directory's. */
function removeUnlessDirectory(dirFd: number, name: ByteString): boolean {
  try {
    unlinkAt(dirFd, name);
    return true;
  } catch (error) {
    if (isSystemCallError(error, "ENOENT")) return true;
    // For directories Linux says EISDIR, POSIX says EPERM, which also means what it says.
    const status = statAtIfExists(dirFd, name);
    if (status !== undefined && kindOf(status.mode) === S_IFDIR) return false;
    throw error;
  }
}
