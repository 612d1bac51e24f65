import { constants } from "node:os";
import type { ByteString } from "@comeback/core";
import { AT_FDCWD, AT_SYMLINK_NOFOLLOW } from "./constants.ts";
import {
  checked,
  type LibC,
  libc,
  type NativeMemory,
  nativeMemory,
  pathAddress,
  secondPathAddress,
} from "./libc.ts";
import { SystemCallError } from "./system-call-error.ts";

/**
 * Whose attributes: a path (a symlink itself is meant, never what it points to), a name in an open
 * folder (likewise), or an open file.
 */
export type XattrSubject = ByteString | XattrEntry | number;
export type XattrEntry = { readonly dirFd: number; readonly name: ByteString };

const { E2BIG, ENODATA, ENOSYS, ENOTSUP, EPERM } = constants.errno;

/** XATTR_LIST_MAX and XATTR_SIZE_MAX of the kernel: nothing is larger. */
const XATTR_BUFFER_BYTES = 64 * 1024;
/** `struct xattr_args`: value pointer, size, flags. */
const XATTR_ARGS_BYTES = 16;

type XattrMemory = { readonly value: NativeMemory; readonly args: NativeMemory };
let memory: XattrMemory | undefined;

function xattrMemory(): XattrMemory {
  if (memory === undefined) {
    const value = nativeMemory(XATTR_BUFFER_BYTES);
    const args = nativeMemory(XATTR_ARGS_BYTES);
    args.bytes.writeBigUInt64LE(BigInt(value.address), 0);
    memory = { value, args };
  }
  return memory;
}

/** The names of all attributes; none where the file system has no attributes at all. */
export function listXattrs(subject: XattrSubject): ByteString[] {
  const c = libc();
  const { value } = xattrMemory();
  const to = value.address;
  const size = XATTR_BUFFER_BYTES;
  const result =
    typeof subject === "number"
      ? c.flistxattr(subject, to, size)
      : forPath(
          c,
          subject,
          (path) => c.llistxattr(path, to, size),
          (dirFd, name) =>
            c.syscall(c.numbers.listxattrat, dirFd, name, AT_SYMLINK_NOFOLLOW, to, size, 0),
        );
  if (result === 0 || (result < 0 && c.errno() === ENOTSUP)) return [];
  checked(c, result, "listxattr", describe(subject));
  return value.bytes.toString("latin1", 0, result - 1).split("\0");
}

/** An attribute's value; `undefined` where there is no such attribute. */
export function getXattr(subject: XattrSubject, name: ByteString): Buffer | undefined {
  const c = libc();
  const { value, args } = xattrMemory();
  const to = value.address;
  const size = XATTR_BUFFER_BYTES;
  const key = secondPathAddress(c, name, "getxattr");
  args.bytes.writeUInt32LE(size, 8);
  const result =
    typeof subject === "number"
      ? c.fgetxattr(subject, key, to, size)
      : forPath(
          c,
          subject,
          (path) => c.lgetxattr(path, key, to, size),
          (dirFd, path) => callWithArgs(c, c.numbers.getxattrat, dirFd, path, key, args.address),
        );
  if (result < 0 && (c.errno() === ENODATA || c.errno() === ENOTSUP)) return undefined;
  checked(c, result, "getxattr", describe(subject));
  return Buffer.from(value.bytes.subarray(0, result));
}

/** Creates or replaces an attribute. */
export function setXattr(subject: XattrSubject, name: ByteString, content: Uint8Array): void {
  const c = libc();
  const { value, args } = xattrMemory();
  if (content.length > XATTR_BUFFER_BYTES) {
    throw new SystemCallError(E2BIG, "setxattr", describe(subject));
  }
  value.bytes.set(content);
  const from = value.address;
  const size = content.length;
  const key = secondPathAddress(c, name, "setxattr");
  args.bytes.writeUInt32LE(size, 8);
  const result =
    typeof subject === "number"
      ? c.fsetxattr(subject, key, from, size, 0)
      : forPath(
          c,
          subject,
          (path) => c.lsetxattr(path, key, from, size, 0),
          (dirFd, path) => callWithArgs(c, c.numbers.setxattrat, dirFd, path, key, args.address),
        );
  checked(c, result, "setxattr", describe(subject));
}

/** Removes an attribute; ENODATA where there is none of that name. */
export function removeXattr(subject: XattrSubject, name: ByteString): void {
  const c = libc();
  const key = secondPathAddress(c, name, "removexattr");
  const result =
    typeof subject === "number"
      ? c.fremovexattr(subject, key)
      : forPath(
          c,
          subject,
          (path) => c.lremovexattr(path, key),
          (dirFd, path) =>
            c.syscall(c.numbers.removexattrat, dirFd, path, AT_SYMLINK_NOFOLLOW, key, 0, 0),
        );
  checked(c, result, "removexattr", describe(subject));
}

function callWithArgs(
  c: LibC,
  number: number,
  dirFd: number,
  path: number,
  key: number,
  args: number,
): number {
  return c.syscall(number, dirFd, path, AT_SYMLINK_NOFOLLOW, key, args, XATTR_ARGS_BYTES);
}

/** Linux 6.13 has calls relative to a folder; before that the way leads through /proc. */
let kernelHasXattrAt = true;

/** For tests: takes or gives back the calls of Linux 6.13. */
export function useXattrAt(enabled: boolean): void {
  kernelHasXattrAt = enabled;
}

function forPath(
  c: LibC,
  subject: ByteString | XattrEntry,
  byPath: (path: number) => number,
  byName: (dirFd: number, name: number) => number,
): number {
  if (typeof subject === "string") return byPath(pathAddress(c, subject, "xattr"));
  const { dirFd, name } = subject;
  if (dirFd === AT_FDCWD) return byPath(pathAddress(c, name, "xattr"));
  if (kernelHasXattrAt) {
    const result = byName(dirFd, pathAddress(c, name, "xattr"));
    // Older sandboxes answer EPERM for calls they do not know: then the other way decides.
    if (result >= 0 || (c.errno() !== ENOSYS && c.errno() !== EPERM)) return result;
    if (c.errno() === ENOSYS) kernelHasXattrAt = false;
  }
  return byPath(pathAddress(c, `/proc/self/fd/${String(dirFd)}/${name}`, "xattr"));
}

function describe(subject: XattrSubject): ByteString | undefined {
  if (typeof subject === "number") return undefined;
  return typeof subject === "string" ? subject : subject.name;
}
