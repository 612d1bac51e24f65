import { type ByteString, byteStringFromText, cleanPath, type Environment } from "@comeback/core";
import { AT_FDCWD, isSystemCallError, readLinkAt, statAt } from "@comeback/platform";

/** Where relative paths begin. */
export type WorkingFolder = {
  /** As the user's shell shows it: may lead through symlinks. */
  readonly shown: ByteString;
  /** As the kernel knows it. */
  readonly actual: ByteString;
  /** Where an absolute path is read instead of at its own place. */
  readonly readAt?: ((path: ByteString) => ByteString | undefined) | undefined;
};

/**
 * The folder this process runs in. `$PWD` is taken where it names this very folder, as restic does:
 * a snapshot of `/data` says so, also where `/data` is a symlink.
 */
export function workingFolder(environment: Environment): WorkingFolder {
  const actual = readLinkAt(AT_FDCWD, "/proc/self/cwd");
  const shown = byteStringFromText(environment["PWD"] ?? "");
  return { shown: shown.startsWith("/") && isCurrent(shown) ? shown : actual, actual };
}

function isCurrent(path: ByteString): boolean {
  try {
    const here = statAt(AT_FDCWD, ".", { followSymlinks: true });
    const there = statAt(AT_FDCWD, path, { followSymlinks: true });
    return here.inode === there.inode && here.deviceId === there.deviceId;
  } catch (error) {
    if (isSystemCallError(error)) return false;
    throw error;
  }
}

/** A path in its two absolute forms: for people and rules, and for the kernel. */
export type AbsolutePath = { readonly path: ByteString; readonly actualPath: ByteString };

/**
 * Makes a path absolute without looking at the disk. The forms differ for what is read at another
 * place, and for a path that climbs out of a working folder shown through a symlink: there the
 * kernel's ".." is another folder.
 */
export function absolutePath(path: ByteString, from: WorkingFolder): AbsolutePath {
  if (path.startsWith("/")) {
    const clean = cleanPath(path);
    return { path: clean, actualPath: from.readAt?.(clean) ?? clean };
  }
  const shown = cleanPath(`${from.shown}/${path}`);
  const climbs = cleanPath(path).startsWith("..");
  const actual = climbs ? cleanPath(`${from.actual}/${path}`) : shown;
  return { path: shown, actualPath: actual };
}

/** The folder that holds a clean absolute path. */
export function parentPath(path: ByteString): ByteString {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}

/** The last component of a clean path. */
export function baseName(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf("/") + 1);
}
