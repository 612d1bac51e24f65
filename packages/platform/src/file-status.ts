import { constants } from "node:os";
import type { ByteString, Instant } from "@comeback/core";
import { AT_EMPTY_PATH, AT_NO_AUTOMOUNT, AT_SYMLINK_NOFOLLOW } from "./constants.ts";
import { checked, type LibC, libc, nativeMemory, pathAddress } from "./libc.ts";

/**
 * What statx(2) says, exact to the nanosecond. 64-bit numbers are `bigint` only where a double
 * cannot hold them.
 */
export type FileStatus = {
  /** `st_mode`: kind and permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  readonly inode: number | bigint;
  readonly sizeBytes: number;
  /** `st_dev`, in the kernel's encoding. */
  readonly deviceId: number | bigint;
  /** `st_rdev`: which device a device file stands for; 0 for other files. */
  readonly device: number | bigint;
  /** Space in use, in units of 512 bytes. */
  readonly blocks512: number;
  readonly mtime: Instant;
  readonly atime: Instant;
  readonly ctime: Instant;
};

export type StatOptions = { readonly followSymlinks?: boolean };

const { ENOENT } = constants.errno;

const STATX_BYTES = 256;
const STATX_BASIC_STATS = 0x7ff;

/** Places in `struct statx` (linux/stat.h), counted in 32-bit words. */
const LINKS = 4;
const UID = 5;
const GID = 6;
const MODE = 7;
const INODE = 8;
const SIZE = 10;
const BLOCKS = 12;
const ATIME = 16;
const CTIME = 24;
const MTIME = 28;
const RDEV = 32;
const DEV = 34;

const TWO_32 = 2 ** 32;

type StatxBuffer = {
  readonly words: Uint32Array;
  readonly signedWords: Int32Array;
  readonly address: number;
};

let buffer: StatxBuffer | undefined;

function statxBuffer(): StatxBuffer {
  if (buffer === undefined) {
    const { bytes, address } = nativeMemory(STATX_BYTES);
    buffer = {
      words: new Uint32Array(bytes.buffer, bytes.byteOffset, STATX_BYTES / 4),
      signedWords: new Int32Array(bytes.buffer, bytes.byteOffset, STATX_BYTES / 4),
      address,
    };
  }
  return buffer;
}

/** The status of `path` below `dirFd`; of the symlink itself unless told to follow. */
export function statAt(dirFd: number, path: ByteString, options?: StatOptions): FileStatus {
  const c = libc();
  const flags = options?.followSymlinks === true ? 0 : AT_SYMLINK_NOFOLLOW;
  const to = statxBuffer();
  const result = statx(c, dirFd, pathAddress(c, path, "statx"), flags, to);
  checked(c, result, "statx", path);
  return statusOf(to);
}

/** The same, or `undefined` where there is no such entry (any more). */
export function statAtIfExists(dirFd: number, path: ByteString): FileStatus | undefined {
  const c = libc();
  const to = statxBuffer();
  const result = statx(c, dirFd, pathAddress(c, path, "statx"), AT_SYMLINK_NOFOLLOW, to);
  if (result < 0 && c.errno() === ENOENT) return undefined;
  checked(c, result, "statx", path);
  return statusOf(to);
}

/** The status of an open file. */
export function statFd(fd: number): FileStatus {
  const c = libc();
  const to = statxBuffer();
  checked(c, statx(c, fd, pathAddress(c, "", "statx"), AT_EMPTY_PATH, to), "statx");
  return statusOf(to);
}

function statx(c: LibC, dirFd: number, path: number, flags: number, to: StatxBuffer): number {
  // stat(2) never triggers an automount; statx(2) has to be told.
  const allFlags = flags | AT_NO_AUTOMOUNT;
  return c.syscall(c.numbers.statx, dirFd, path, allFlags, STATX_BASIC_STATS, to.address, 0);
}

function statusOf(from: StatxBuffer): FileStatus {
  const words = from.words;
  const mtime = instantAt(from, MTIME, undefined);
  const ctime = instantAt(from, CTIME, mtime);
  return {
    mode: words[MODE]! & 0xffff,
    uid: words[UID]!,
    gid: words[GID]!,
    links: words[LINKS]!,
    inode: unsigned64(words[INODE]!, words[INODE + 1]!),
    sizeBytes: words[SIZE]! + words[SIZE + 1]! * TWO_32,
    deviceId: encodeDevice(words[DEV]!, words[DEV + 1]!),
    device: encodeDevice(words[RDEV]!, words[RDEV + 1]!),
    blocks512: words[BLOCKS]! + words[BLOCKS + 1]! * TWO_32,
    mtime,
    atime: instantAt(from, ATIME, ctime),
    ctime,
  };
}

/** An instant; the neighbour's own object where it is the same one, which it often is. */
function instantAt(from: StatxBuffer, place: number, neighbour: Instant | undefined): Instant {
  const seconds = from.words[place]! + from.signedWords[place + 1]! * TWO_32;
  const nanoseconds = from.words[place + 2]!;
  if (neighbour?.nanoseconds === nanoseconds && neighbour.seconds === seconds) return neighbour;
  return { seconds, nanoseconds };
}

function unsigned64(low: number, high: number): number | bigint {
  return high < 0x200000 ? low + high * TWO_32 : (BigInt(high) << 32n) | BigInt(low);
}

/** The C library's `makedev`, which is what the `stat` structures carry. */
export function encodeDevice(major: number, minor: number): number | bigint {
  if (major > 0xfff) {
    const high = (BigInt(major >>> 12) << 44n) | (BigInt(minor >>> 8) << 20n);
    const device = high | BigInt(((major & 0xfff) << 8) | (minor & 0xff));
    return device <= Number.MAX_SAFE_INTEGER ? Number(device) : device;
  }
  const low = (minor & 0xff) + major * 0x100;
  return low + (minor >>> 8) * 0x100000;
}

/** The numbers behind `st_dev` or `st_rdev`. */
export function decodeDevice(device: number | bigint): { major: number; minor: number } {
  const bits = BigInt(device);
  return {
    major: Number(((bits >> 8n) & 0xfffn) | ((bits >> 32n) & 0xfffff000n)),
    minor: Number((bits & 0xffn) | ((bits >> 12n) & 0xffffff00n)),
  };
}
