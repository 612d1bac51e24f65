import type { ByteString, NodeType } from "@comeback/core";
import { AT_REMOVEDIR, PATH_MAX_BYTES } from "./constants.ts";
import {
  checked,
  libc,
  type NativeMemory,
  nativeMemory,
  pathAddress,
  secondPathAddress,
} from "./libc.ts";

/** `type` is "unknown" where the file system does not say; ask `statAt` then. */
export type DirectoryEntry = { readonly name: ByteString; readonly type: NodeType | "unknown" };

const LISTING_BUFFER_BYTES = 64 * 1024;

/** `struct linux_dirent64`: inode 8, offset 8, record length 2, type 1, name. */
const RECORD_LENGTH = 16;
const RECORD_TYPE = 18;
const RECORD_NAME = 19;

/** DT_* values of dirent.h. */
const TYPES: Readonly<Record<number, NodeType>> = {
  1: "fifo",
  2: "chardev",
  4: "dir",
  6: "dev",
  8: "file",
  10: "symlink",
  12: "socket",
};

let listing: NativeMemory | undefined;

function forEachRecord(dirFd: number, visit: (name: ByteString, type: number) => void): void {
  const c = libc();
  const { bytes, address } = (listing ??= nativeMemory(LISTING_BUFFER_BYTES));
  for (;;) {
    const result = c.syscall(c.numbers.getdents64, dirFd, address, LISTING_BUFFER_BYTES, 0, 0, 0);
    const used = checked(c, result, "getdents64");
    if (used === 0) return;
    let record = 0;
    while (record < used) {
      const start = record + RECORD_NAME;
      let end = start;
      while (bytes[end] !== 0) end++;
      const length = end - start;
      const isDot =
        bytes[start] === 0x2e && (length === 1 || (length === 2 && bytes[start + 1] === 0x2e));
      if (!isDot) visit(bytes.toString("latin1", start, end), bytes[record + RECORD_TYPE]!);
      record += bytes[record + RECORD_LENGTH]! | (bytes[record + RECORD_LENGTH + 1]! << 8);
    }
  }
}

/** The entries of an open folder, in the file system's order, without "." and "..". */
export function readDirectory(dirFd: number): DirectoryEntry[] {
  const entries: DirectoryEntry[] = [];
  forEachRecord(dirFd, (name, type) => {
    entries.push({ name, type: TYPES[type] ?? "unknown" });
  });
  return entries;
}

/** The same, names only. */
export function readDirectoryNames(dirFd: number): ByteString[] {
  const names: ByteString[] = [];
  forEachRecord(dirFd, (name) => {
    names.push(name);
  });
  return names;
}

let linkTarget: NativeMemory | undefined;

/** The target of a symlink, as it is stored. */
export function readLinkAt(dirFd: number, path: ByteString): ByteString {
  const c = libc();
  const { bytes, address } = (linkTarget ??= nativeMemory(PATH_MAX_BYTES + 1));
  const result = c.readlinkat(dirFd, pathAddress(c, path, "readlinkat"), address, bytes.length);
  return bytes.toString("latin1", 0, checked(c, result, "readlinkat", path));
}

export function mkdirAt(dirFd: number, path: ByteString, mode: number): void {
  const c = libc();
  checked(c, c.mkdirat(dirFd, pathAddress(c, path, "mkdirat"), mode), "mkdirat", path);
}

/** Removes a file, or with `directory` an empty folder. */
export function unlinkAt(
  dirFd: number,
  path: ByteString,
  options?: { readonly directory?: boolean },
): void {
  const c = libc();
  const flags = options?.directory === true ? AT_REMOVEDIR : 0;
  checked(c, c.unlinkat(dirFd, pathAddress(c, path, "unlinkat"), flags), "unlinkat", path);
}

export function symlinkAt(target: ByteString, dirFd: number, path: ByteString): void {
  const c = libc();
  const targetAddress = secondPathAddress(c, target, "symlinkat");
  const result = c.symlinkat(targetAddress, dirFd, pathAddress(c, path, "symlinkat"));
  checked(c, result, "symlinkat", path);
}

/** A hard link; a symlink at the old path is linked itself, not followed. */
export function linkAt(
  oldDirFd: number,
  oldPath: ByteString,
  newDirFd: number,
  newPath: ByteString,
): void {
  const c = libc();
  const from = pathAddress(c, oldPath, "linkat");
  const to = secondPathAddress(c, newPath, "linkat");
  checked(c, c.linkat(oldDirFd, from, newDirFd, to, 0), "linkat", newPath);
}

/** Makes a device, fifo, socket or empty file; `mode` carries the kind (S_IFCHR and so on). */
export function mknodAt(
  dirFd: number,
  path: ByteString,
  mode: number,
  device: number | bigint,
): void {
  const c = libc();
  checked(c, c.mknodat(dirFd, pathAddress(c, path, "mknodat"), mode, device), "mknodat", path);
}

export function renameAt(
  oldDirFd: number,
  oldPath: ByteString,
  newDirFd: number,
  newPath: ByteString,
): void {
  const c = libc();
  const from = pathAddress(c, oldPath, "renameat");
  const to = secondPathAddress(c, newPath, "renameat");
  checked(c, c.renameat(oldDirFd, from, newDirFd, to), "renameat", newPath);
}
