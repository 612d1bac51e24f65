import { constants } from "node:os";
import { checked, libc, uninterrupted } from "./libc.ts";

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;

/**
 * flock(2) without waiting, exclusive unless `shared`: false where another open file holds it, of
 * this process or of any other. The kernel lets go of it when the file is closed, also where the process was killed.
 */
export function tryLockFile(fd: number, options?: { readonly shared?: boolean }): boolean {
  const c = libc();
  const kind = options?.shared === true ? LOCK_SH : LOCK_EX;
  const result = uninterrupted(c, () => c.flock(fd, kind | LOCK_NB));
  if (result < 0 && c.errno() === constants.errno.EAGAIN) return false;
  checked(c, result, "flock");
  return true;
}

export function unlockFile(fd: number): void {
  const c = libc();
  checked(
    c,
    uninterrupted(c, () => c.flock(fd, LOCK_UN)),
    "flock",
  );
}
