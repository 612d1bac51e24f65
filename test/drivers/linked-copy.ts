import { linkSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/**
 * A copy of a repository that costs next to nothing: hard links. Files of a repository are written
 * once and never changed in place, so that whatever a program does to the copy, the original stays.
 */
export function copyWithLinks(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  linkBelow(from, to);
}

function linkBelow(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) linkBelow(source, target);
    else linkSync(source, target);
  }
}
