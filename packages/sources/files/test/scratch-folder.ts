import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";

/**
 * A folder with these files (a name that ends with a slash is a folder), removed after the test;
 * by the system's `rm`, which knows paths of any length.
 */
export function scratchFolder(t: TestContext, paths: readonly string[] = []): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "comeback-files-")));
  t.after(() => execFileSync("rm", ["-rf", folder]));
  for (const path of paths) {
    const full = join(folder, path);
    if (path.endsWith("/")) mkdirSync(full, { recursive: true });
    else {
      mkdirSync(dirname(full), { recursive: true });
      writeFileSync(full, `content of ${path}`);
    }
  }
  return folder;
}
