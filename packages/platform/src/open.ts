import { constants } from "node:os";
import type { ByteString } from "@comeback/core";
import {
  AT_FDCWD,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  PATH_MAX_BYTES,
} from "./constants.ts";
import { checked, type LibC, libc, nativeMemory, pathAddress, uninterrupted } from "./libc.ts";
import { SystemCallError } from "./system-call-error.ts";

const { EAGAIN, EINVAL, ELOOP, ENOENT, ENOSYS, ENOTDIR, EPERM, EXDEV } = constants.errno;

/** openat(2). The descriptor is never inherited by a child process. */
export function openAt(dirFd: number, path: ByteString, flags: number, mode = 0): number {
  const c = libc();
  const address = pathAddress(c, path, "openat");
  const fd = uninterrupted(c, () => c.openat(dirFd, address, flags | O_CLOEXEC, mode));
  return checked(c, fd, "openat", path);
}

/** close(2), once: a descriptor is gone even where the call reports an error. */
export function close(fd: number): void {
  const c = libc();
  const result = c.close(fd);
  if (result < 0 && c.errno() !== constants.errno.EINTR) checked(c, result, "close");
}

/**
 * Opens a path of any length. One beyond PATH_MAX is walked folder by folder; symlinks on the way
 * are followed as the kernel would (add O_NOFOLLOW for the last component).
 */
export function openPath(path: ByteString, flags: number, mode = 0): number {
  if (path.length <= PATH_MAX_BYTES) return openAt(AT_FDCWD, path, flags, mode);
  let dirFd = AT_FDCWD;
  let rest = path;
  try {
    while (rest.length > PATH_MAX_BYTES) {
      // A whole number of components, ending before a slash that is not the path's first byte.
      const end = rest.lastIndexOf("/", PATH_MAX_BYTES);
      if (end <= 0) throw new SystemCallError(constants.errno.ENAMETOOLONG, "openat", path);
      dirFd = stepInto(dirFd, openAt(dirFd, rest.slice(0, end), O_PATH | O_DIRECTORY));
      rest = rest.slice(end).replace(/^\/+/, "");
    }
    return openAt(dirFd, rest === "" ? "." : rest, flags, mode);
  } finally {
    if (dirFd !== AT_FDCWD) close(dirFd);
  }
}

function stepInto(oldDirFd: number, newDirFd: number): number {
  if (oldDirFd !== AT_FDCWD) close(oldDirFd);
  return newDirFd;
}

/** `struct open_how`: flags, mode, resolve; 64 bits each. */
const OPEN_HOW_BYTES = 24;
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_NO_SYMLINKS = 0x04;
const RESOLVE_BENEATH = 0x08;
/** openat2(2) asks to try again when a folder was moved during the walk. */
const OPENAT2_ATTEMPTS_MAX = 100;

let kernelHasOpenat2 = true;

/**
 * Opens a relative path that never leaves `dirFd` and goes through no symlink at all: ELOOP (or
 * ENOTDIR) where one is met, EXDEV where the path would lead outside.
 */
export function openBeneath(dirFd: number, path: ByteString, flags: number, mode = 0): number {
  if (kernelHasOpenat2 && path.length <= PATH_MAX_BYTES) {
    const fd = openat2(dirFd, path, flags, mode);
    if (fd !== undefined) return fd;
    kernelHasOpenat2 = false;
  }
  return openBeneathByComponents(dirFd, path, flags, mode);
}

let openHow: { words: Uint32Array; address: number } | undefined;

function openat2(dirFd: number, path: ByteString, flags: number, mode: number): number | undefined {
  const c = libc();
  if (openHow === undefined) {
    const { bytes, address } = nativeMemory(OPEN_HOW_BYTES);
    openHow = { words: new Uint32Array(bytes.buffer, bytes.byteOffset, 6), address };
  }
  const { words, address } = openHow;
  words[0] = flags | O_CLOEXEC;
  // The kernel refuses a mode where nothing can be created.
  words[2] = (flags & O_CREAT) === 0 ? 0 : mode;
  words[4] = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const name = pathAddress(c, path, "openat2");
  for (let attempt = 1; ; attempt++) {
    const number = c.numbers.openat2;
    const fd = uninterrupted(c, () =>
      c.syscall(number, dirFd, name, address, OPEN_HOW_BYTES, 0, 0),
    );
    if (fd >= 0) return fd;
    const errno = c.errno();
    // Older container sandboxes answer EPERM for calls they do not know.
    if (errno === ENOSYS || (errno === EPERM && !isOpenat2Known(c))) return undefined;
    if (errno !== EAGAIN || attempt >= OPENAT2_ATTEMPTS_MAX) {
      throw new SystemCallError(errno, "openat2", path);
    }
  }
}

/** Asks with arguments that the kernel must refuse with EINVAL. */
function isOpenat2Known(c: LibC): boolean {
  c.syscall(c.numbers.openat2, AT_FDCWD, 0, 0, 0, 0, 0);
  return c.errno() === EINVAL;
}

/** What openat2(2) does, for kernels before 5.6 and paths beyond PATH_MAX. */
export function openBeneathByComponents(
  dirFd: number,
  path: ByteString,
  flags: number,
  mode = 0,
): number {
  const components = path.split("/").filter((part) => part !== "" && part !== ".");
  if (path.startsWith("/") || components.includes("..")) {
    throw new SystemCallError(EXDEV, "openat", path);
  }
  if (path === "") throw new SystemCallError(ENOENT, "openat", path);
  const last = components.pop() ?? ".";
  let current = dirFd;
  try {
    for (const component of components) {
      const next = openAt(current, component, O_PATH | O_DIRECTORY | O_NOFOLLOW);
      if (current !== dirFd) close(current);
      current = next;
    }
    const wanted = path.endsWith("/") ? flags | O_DIRECTORY : flags;
    return openAt(current, last, wanted | O_NOFOLLOW, mode);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    throw new SystemCallError(error.errno, "openat", path);
  } finally {
    if (current !== dirFd) close(current);
  }
}

/** True for the errors by which a call refused to go through a symlink. */
export function isSymlinkRefusal(error: unknown): boolean {
  return error instanceof SystemCallError && (error.errno === ELOOP || error.errno === ENOTDIR);
}
