import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Finished } from "../drivers/run-program.ts";

/** Every file that was restored is the source's, byte by byte, or is named as one that is not. */
export function assertOnlyNamedDiffer(source: string, target: string, finished: Finished): void {
  const said = finished.stderr + finished.stdout.toString("utf8");
  const entries = readdirSync(target, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const original = join(source, path.slice(target.length));
    const isSame = readFileSync(path).equals(readFileSync(original));
    assert.ok(isSame || said.includes(entry.name), `${path} differs unnamed: ${said}`);
  }
}
