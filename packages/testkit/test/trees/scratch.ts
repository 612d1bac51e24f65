import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder for one test. */
export function scratchFolder(): Disposable & { path: string; below(name: string): string } {
  const path = mkdtempSync(join(tmpdir(), "comeback-trees-"));
  return {
    path,
    below: (name) => join(path, name),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}
