import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder for one test. */
export function cacheFolder(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), "comeback-cache-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
