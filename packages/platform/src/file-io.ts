import { constants } from "node:os";
import { assert } from "@comeback/core";
import { checked, libc, uninterrupted } from "./libc.ts";

const { ENOSYS, ENOTSUP, ENXIO } = constants.errno;

const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const FALLOC_FL_KEEP_SIZE = 1;

function slice(buffer: Uint8Array, offset: number, length: number): Uint8Array {
  // The kernel trusts these numbers: one beyond the buffer would touch foreign memory.
  assert(
    offset >= 0 && length >= 0 && offset + length <= buffer.length,
    `${String(length)} bytes at ${String(offset)} do not fit a buffer of ${String(buffer.length)}`,
  );
  return offset === 0 ? buffer : buffer.subarray(offset, offset + length);
}

/**
 * Reads up to `length` bytes into `buffer` at `offset`, from `position` in the file (-1: from where
 * the descriptor stands). Returns how many; 0 at the end of the file.
 */
export function readInto(
  fd: number,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
): number {
  const c = libc();
  const to = slice(buffer, offset, length);
  const result = uninterrupted(c, () =>
    position < 0 ? c.read(fd, to, length) : c.pread(fd, to, length, position),
  );
  return checked(c, result, "read");
}

/** Writes all `length` bytes of `buffer` at `offset` to `position` (-1: where the fd stands). */
export function writeFrom(
  fd: number,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
): number {
  const c = libc();
  let done = 0;
  while (done < length) {
    const from = slice(buffer, offset + done, length - done);
    const left = length - done;
    const result = uninterrupted(c, () =>
      position < 0 ? c.write(fd, from, left) : c.pwrite(fd, from, left, position + done),
    );
    done += checked(c, result, "write");
  }
  return done;
}

/** Cuts or extends (with a hole) a file to a size. */
export function ftruncate(fd: number, sizeBytes: number): void {
  const c = libc();
  checked(
    c,
    uninterrupted(c, () => c.ftruncate(fd, sizeBytes)),
    "ftruncate",
  );
}

/**
 * Reserves space for the first `sizeBytes` of a file without changing its size. Returns false where
 * the file system cannot; a full disk throws.
 */
export function allocate(fd: number, sizeBytes: number): boolean {
  if (sizeBytes === 0) return true;
  const c = libc();
  const result = uninterrupted(c, () => c.fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, sizeBytes));
  if (result < 0 && (c.errno() === ENOTSUP || c.errno() === ENOSYS)) return false;
  checked(c, result, "fallocate");
  return true;
}

/** Where data begins at or after `offset`; -1 where there is none. */
export function seekData(fd: number, offset: number): number {
  return seek(fd, offset, SEEK_DATA);
}

/** Where a hole begins at or after `offset` (the end of the file counts as one); -1 beyond it. */
export function seekHole(fd: number, offset: number): number {
  return seek(fd, offset, SEEK_HOLE);
}

function seek(fd: number, offset: number, whence: number): number {
  const c = libc();
  const result = c.lseek(fd, offset, whence);
  if (result < 0 && c.errno() === ENXIO) return -1;
  return checked(c, result, "lseek");
}

/** Puts a file, or a folder's entries, on stable storage. */
export function fsync(fd: number): void {
  const c = libc();
  checked(
    c,
    uninterrupted(c, () => c.fsync(fd)),
    "fsync",
  );
}

/** The same for the whole file system that `fd` is on. */
export function fsyncFs(fd: number): void {
  const c = libc();
  checked(
    c,
    uninterrupted(c, () => c.syncfs(fd)),
    "syncfs",
  );
}
