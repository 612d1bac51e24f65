import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { AT_FDCWD, close, O_DIRECTORY, O_RDONLY, openAt } from "../src/index.ts";

/** An empty folder, open, that is removed after the test. */
export function scratchFolder(t: TestContext): { path: string; fd: number } {
  const path = mkdtempSync(join(tmpdir(), "comeback-platform-"));
  const fd = openAt(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
  t.after(() => {
    close(fd);
    rmSync(path, { recursive: true, force: true });
  });
  return { path, fd };
}
