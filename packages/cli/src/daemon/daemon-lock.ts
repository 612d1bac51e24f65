import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { ComebackError } from "@comeback/core";
import { tryLockFile } from "@comeback/platform";

/**
 * One daemon a state folder, whichever way it was started. The kernel lets go of the lock when the
 * process ends, however it ends. Throws `run.busy` where another one holds it.
 */
export function lockDaemon(stateFolder: string): Disposable {
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
  const path = join(stateFolder, "daemon.lock");
  const fd = openSync(path, "a+", 0o600);
  let isLocked = false;
  try {
    isLocked = tryLockFile(fd);
  } finally {
    if (!isLocked) closeSync(fd);
  }
  if (!isLocked) {
    const holder = readFileSync(path, "latin1").trim();
    throw new ComebackError("run.busy", "a daemon runs already for this configuration", {
      why: `process ${holder === "" ? "unknown" : holder} holds ${path}`,
      next: "stop that one first (`systemctl stop comeback`), or give this one another `state`",
    });
  }
  ftruncateSync(fd);
  writeSync(fd, `${process.pid}\n`);
  return { [Symbol.dispose]: () => closeSync(fd) };
}
