import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** When each checkpoint in a cache (`XDG_CACHE_HOME`) was saved: other text, other checkpoints. */
export function checkpointTimes(cache: string): string {
  return readdirSync(cache, { recursive: true, withFileTypes: true })
    .filter((file) => file.parentPath.endsWith("checkpoints") && !file.name.includes("."))
    .map((file) => statSync(join(file.parentPath, file.name), { throwIfNoEntry: false })?.mtimeMs)
    .join(" ");
}
