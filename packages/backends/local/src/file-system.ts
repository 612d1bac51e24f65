import {
  chmod,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rmdir,
  stat,
  statfs,
  unlink,
} from "node:fs/promises";
import { byteStringFromText } from "@comeback/core";
import { renameWithoutReplacing } from "@comeback/platform";

/** What the backend asks of the operating system; tests stage failures here that no disk gives. */
export interface FileSystem {
  readonly chmod: typeof chmod;
  readonly link: typeof link;
  readonly lstat: typeof lstat;
  readonly mkdir: typeof mkdir;
  readonly open: typeof open;
  readonly readdir: typeof readdir;
  readonly readFile: typeof readFile;
  readonly rename: typeof rename;
  /** `rename` that fails with EEXIST where the new name is taken. */
  readonly renameWithoutReplacing: (from: string, to: string) => Promise<void>;
  readonly rmdir: typeof rmdir;
  readonly stat: typeof stat;
  readonly statfs: typeof statfs;
  readonly unlink: typeof unlink;
}

export const nodeFileSystem: FileSystem = {
  chmod,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  async renameWithoutReplacing(from, to) {
    renameWithoutReplacing(byteStringFromText(from), byteStringFromText(to));
  },
  rmdir,
  stat,
  statfs,
  unlink,
};

/** The `errno` name of a failed system call, "" for anything else. */
export function errorName(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === "string" ? code : "";
}

/** What file systems without an operation answer; restic ignores a missing fsync likewise. */
const NOT_SUPPORTED: ReadonlySet<string> = new Set(["EINVAL", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"]);

export function isNotSupported(error: unknown): boolean {
  return NOT_SUPPORTED.has(errorName(error));
}

/** Makes a folder's entries durable, where the file system knows how to. */
export async function syncFolder(fileSystem: FileSystem, folder: string): Promise<void> {
  const handle = await fileSystem.open(folder, "r");
  try {
    await handle.sync();
  } catch (error) {
    if (!isNotSupported(error)) throw error;
  } finally {
    await handle.close();
  }
}
