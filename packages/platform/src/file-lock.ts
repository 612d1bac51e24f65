import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { constants } from "node:os";
import koffi from "koffi";
import { processFunctions } from "./native-library.ts";
import { SystemCallError } from "./system-call-error.ts";

const LOCK_EXCLUSIVE_AT_ONCE = 2 | 4;

/** A lock that the system takes away when the process ends, however it ends. */
export interface FileLock extends Disposable {
  readonly path: string;
}

/**
 * Locks a file, which is made where there is none, and writes this process's number into it. Gives
 * the number of the process that holds it where another one does ("" where it did not say).
 */
export function lockFile(path: string): FileLock | { readonly heldBy: string } {
  const fd = openSync(path, "a+", 0o600);
  const functions = processFunctions({ flock: "int flock(int fd, int operation)" });
  const result = functions?.flock(fd, LOCK_EXCLUSIVE_AT_ONCE);
  if (result === 0) {
    ftruncateSync(fd);
    writeSync(fd, `${process.pid}\n`);
    return { path, [Symbol.dispose]: () => closeSync(fd) };
  }
  const errno = functions === undefined ? constants.errno.ENOSYS : koffi.errno();
  closeSync(fd);
  if (errno !== constants.errno.EWOULDBLOCK) throw new SystemCallError(errno, "flock", path);
  return { heldBy: readFileSync(path, "latin1").trim() };
}
