import { DirectoryCache } from "./directory-cache.ts";
import type { RestoreSession } from "./tasks.ts";

/** What this thread keeps open for a restore; one restore at a time has a thread. */
let current: { readonly number: number; readonly directories: DirectoryCache } | undefined;

export function directoriesOf(session: RestoreSession): DirectoryCache {
  if (current?.number !== session.number) {
    endSession();
    current = { number: session.number, directories: new DirectoryCache(session.rootFd) };
  }
  return current.directories;
}

export function endSession(): void {
  current?.directories[Symbol.dispose]();
  current = undefined;
}

let aborted: { readonly buffer: SharedArrayBuffer; readonly word: Int32Array } | undefined;

/** Whether the main thread gave the restore up: then nothing more is begun. */
export function isAborted(session: RestoreSession): boolean {
  if (aborted?.buffer !== session.abort) {
    aborted = { buffer: session.abort, word: new Int32Array(session.abort) };
  }
  return Atomics.load(aborted.word, 0) !== 0;
}
