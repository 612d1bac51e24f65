import { constants } from "node:os";
import type { ByteString, Instant } from "@comeback/core";
import { AT_SYMLINK_NOFOLLOW, O_NOFOLLOW, O_PATH, S_IFLNK, S_IFMT } from "./constants.ts";
import { statFd } from "./file-status.ts";
import { checked, lastError, libc, nativeMemory, pathAddress } from "./libc.ts";
import { close, openAt } from "./open.ts";
import { SystemCallError } from "./system-call-error.ts";

const { ENOSYS, ENOTSUP, EPERM } = constants.errno;

/** Changes the owner of an open file; -1 leaves one as it is. */
export function fchown(fd: number, uid: number, gid: number): void {
  const c = libc();
  checked(c, c.fchown(fd, uid >>> 0, gid >>> 0), "fchown");
}

/** Changes the owner of the entry itself, also of a symlink; -1 leaves one as it is. */
export function chownAt(dirFd: number, path: ByteString, uid: number, gid: number): void {
  const c = libc();
  const address = pathAddress(c, path, "fchownat");
  const flags = AT_SYMLINK_NOFOLLOW;
  checked(c, c.fchownat(dirFd, address, uid >>> 0, gid >>> 0, flags), "fchownat", path);
}

export function fchmod(fd: number, mode: number): void {
  const c = libc();
  checked(c, c.fchmod(fd, mode), "fchmod");
}

let kernelHasFchmodat2 = true;

/** Changes the permissions of the entry itself; ENOTSUP where it is a symlink, which has none. */
export function chmodAt(dirFd: number, path: ByteString, mode: number): void {
  const c = libc();
  if (kernelHasFchmodat2) {
    const address = pathAddress(c, path, "fchmodat2");
    const number = c.numbers.fchmodat2;
    const result = c.syscall(number, dirFd, address, mode, AT_SYMLINK_NOFOLLOW, 0, 0);
    if (result >= 0) return;
    // Older sandboxes answer EPERM for calls they do not know: then the other way decides.
    if (c.errno() !== ENOSYS && c.errno() !== EPERM) throw lastError(c, "fchmodat2", path);
    kernelHasFchmodat2 = c.errno() !== ENOSYS;
  }
  chmodThroughDescriptor(dirFd, path, mode);
}

/** For kernels before 6.6: pins the entry, then changes what the descriptor stands for. */
export function chmodThroughDescriptor(dirFd: number, path: ByteString, mode: number): void {
  const c = libc();
  const fd = openAt(dirFd, path, O_PATH | O_NOFOLLOW);
  try {
    if ((statFd(fd).mode & S_IFMT) === S_IFLNK) {
      throw new SystemCallError(ENOTSUP, "chmod", path);
    }
    const address = pathAddress(c, `/proc/self/fd/${String(fd)}`, "chmod");
    checked(c, c.chmod(address, mode), "chmod", path);
  } finally {
    close(fd);
  }
}

/** tv_nsec that leaves a time as it is. */
const UTIME_OMIT = 0x3ffffffe;
/** Two `struct timespec`: seconds and nanoseconds, 64 bits each; atime first. */
const TIMES_BYTES = 32;

let times: { words: Uint32Array; address: number } | undefined;

function timesAddress(atime: Instant | undefined, mtime: Instant | undefined): number {
  if (times === undefined) {
    const { bytes, address } = nativeMemory(TIMES_BYTES);
    times = { words: new Uint32Array(bytes.buffer, bytes.byteOffset, TIMES_BYTES / 4), address };
  }
  putTime(times.words, 0, atime);
  putTime(times.words, 4, mtime);
  return times.address;
}

function putTime(words: Uint32Array, place: number, time: Instant | undefined): void {
  const seconds = time?.seconds ?? 0;
  words[place] = seconds % 2 ** 32;
  words[place + 1] = Math.floor(seconds / 2 ** 32);
  words[place + 2] = time?.nanoseconds ?? UTIME_OMIT;
  words[place + 3] = 0;
}

/** Sets the times of the entry itself, exact to the nanosecond; `undefined` leaves one as it is. */
export function utimensAt(
  dirFd: number,
  path: ByteString,
  atime: Instant | undefined,
  mtime: Instant | undefined,
): void {
  const c = libc();
  const address = pathAddress(c, path, "utimensat");
  const result = c.utimensat(dirFd, address, timesAddress(atime, mtime), AT_SYMLINK_NOFOLLOW);
  checked(c, result, "utimensat", path);
}

/** The same for an open file. */
export function futimens(fd: number, atime: Instant | undefined, mtime: Instant | undefined): void {
  const c = libc();
  checked(c, c.futimens(fd, timesAddress(atime, mtime)), "futimens");
}
