import { accessSync, constants } from "node:fs";
import { type ByteString, ComebackError, displayText, messageOf } from "@comeback/core";
import {
  AT_FDCWD,
  close,
  isSystemCallError,
  mkdirAt,
  O_DIRECTORY,
  O_PATH,
  O_RDONLY,
  openAt,
  openPath,
} from "@comeback/platform";

/** Directories that lead to the target are made with this, as restic makes them. */
const NEW_TARGET_MODE = 0o700;

/**
 * Opens the target, and makes it where it is missing (unless `dryRun`: then `undefined`). The
 * user chose this path: symlinks in it are followed.
 */
export function openTarget(target: ByteString, dryRun: boolean): number | undefined {
  if (target === "" || target.includes("\0")) {
    throw new ComebackError("option.invalid", "the target is not a path", {
      next: "name a directory with --target",
    });
  }
  try {
    return openPath(target, O_RDONLY | O_DIRECTORY);
  } catch (error) {
    if (!isSystemCallError(error, "ENOENT")) throw unusable(target, error);
  }
  if (dryRun) return undefined;
  try {
    return makePath(target);
  } catch (error) {
    throw unusable(target, error);
  }
}

/** Walks the path, makes what is missing, and opens its end. */
function makePath(path: ByteString): number {
  let fd = openAt(AT_FDCWD, path.startsWith("/") ? "/" : ".", O_PATH | O_DIRECTORY);
  const names = path.split("/").filter((name) => name !== "");
  try {
    for (const [i, name] of names.entries()) {
      makeUnlessThere(fd, name);
      const isLast = i === names.length - 1;
      const next = openAt(fd, name, (isLast ? O_RDONLY : O_PATH) | O_DIRECTORY);
      close(fd);
      fd = next;
    }
  } catch (error) {
    close(fd);
    throw error;
  }
  return fd;
}

function makeUnlessThere(dirFd: number, name: ByteString): void {
  try {
    mkdirAt(dirFd, name, NEW_TARGET_MODE);
  } catch (error) {
    if (!isSystemCallError(error, "EEXIST")) throw error;
  }
}

/** Why nothing can be made in an open directory; `undefined` where it can. */
export function refusalToWrite(dirFd: number): unknown {
  try {
    accessSync(`/proc/self/fd/${String(dirFd)}`, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** The target as a whole cannot be used. */
export function unusable(target: ByteString, cause: unknown): ComebackError {
  return new ComebackError("restore.target", `cannot restore to ${displayText(target)}`, {
    why: isSystemCallError(cause) ? cause.reason : messageOf(cause),
    next: "choose a directory that can be written to with --target",
    cause,
  });
}
