/**
 * restic learns whether the process behind a lock still lives by sending it a SIGHUP (at every
 * `unlock`, and whenever it meets a lock that excludes its own), and ignores that signal itself.
 * By default SIGHUP ends a process: whoever holds a lock has to ignore it as well.
 */
let holders = 0;

const ignore = (): void => {};

export function beginIgnoringHangups(): void {
  if (holders++ === 0) process.on("SIGHUP", ignore);
}

export function endIgnoringHangups(): void {
  if (--holders === 0) process.off("SIGHUP", ignore);
}
