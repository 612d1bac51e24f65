import { lstatSync } from "node:fs";
import { type ByteString, nodePath } from "@comeback/core";

/**
 * Whether an entry, or where it is gone the folder it was in, has changed after a moment: then it
 * says nothing that what was saved before is different.
 */
export function changedSince(path: ByteString, momentMs: number): boolean {
  for (let at = path; at !== ""; at = at.slice(0, at.lastIndexOf("/"))) {
    const status = lstatSync(nodePath(at), { throwIfNoEntry: false });
    if (status !== undefined) return status.ctimeMs >= momentMs;
  }
  return true;
}
