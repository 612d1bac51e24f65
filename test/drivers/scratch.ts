import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

/**
 * A folder of this test file, on the disk: it keeps every attribute. Removed at the end with
 * everything below it, also what only the system's own `rm` gets rid of (paths beyond PATH_MAX).
 */
export function scratchFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `comeback-${name}-`));
  after(() => execFileSync("rm", ["-rf", "--one-file-system", folder]));
  return folder;
}

/** The same in memory: for repositories that many runs write into, with an fsync each time. */
export function memoryFolder(name: string): string {
  if (!existsSync("/dev/shm")) return scratchFolder(name);
  const folder = mkdtempSync(join("/dev/shm", `comeback-${name}-`));
  after(() => execFileSync("rm", ["-rf", "--one-file-system", folder]));
  return folder;
}

export function makeFolder(...parts: string[]): string {
  const folder = join(...parts);
  mkdirSync(folder, { recursive: true });
  return folder;
}
