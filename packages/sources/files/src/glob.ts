import { type ByteString, cleanPath, matchName } from "@comeback/core";
import {
  AT_FDCWD,
  close,
  isSystemCallError,
  O_DIRECTORY,
  O_RDONLY,
  openPath,
  readDirectoryNames,
  statAt,
} from "@comeback/platform";

const META = /[*?[\\]/;

/**
 * The existing paths that a pattern stands for, as Go's `filepath.Glob` finds them: `*`, `?` and
 * classes in any component, hidden names included, symlinked folders entered, unreadable folders
 * passed over. Throws `BadPattern`.
 */
export function glob(pattern: ByteString): ByteString[] {
  matchName(pattern, "");
  if (!META.test(pattern)) return exists(pattern) ? [pattern] : [];
  const slash = pattern.lastIndexOf("/");
  const name = pattern.slice(slash + 1);
  const folderPart = pattern.slice(0, slash + 1);
  const folder = folderPart === "" ? "." : folderPart === "/" ? "/" : folderPart.slice(0, -1);
  const folders = META.test(folder) ? glob(folder) : [folder];
  return folders.flatMap((each) => matchesIn(each, name));
}

function exists(path: ByteString): boolean {
  try {
    statAt(AT_FDCWD, path);
    return true;
  } catch (error) {
    if (isSystemCallError(error)) return false;
    throw error;
  }
}

function matchesIn(folder: ByteString, pattern: ByteString): ByteString[] {
  let names: ByteString[];
  try {
    const fd = openPath(folder, O_RDONLY | O_DIRECTORY);
    try {
      names = readDirectoryNames(fd);
    } finally {
      close(fd);
    }
  } catch (error) {
    if (isSystemCallError(error)) return [];
    throw error;
  }
  const found = names.sort().filter((name) => matchName(pattern, name));
  return found.map((name) => cleanPath(`${folder}/${name}`));
}
