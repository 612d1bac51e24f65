import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

export type FileKind = "config" | "keys" | "locks" | "snapshots" | "index" | "data";

/** Finished files of one kind, as paths below the repository's folder. */
export function storedFiles(repository: string, kind: FileKind): string[] {
  // "-tmp-" is ours; ".NAME.XXXXXX" is what an rsync leaves that was killed.
  return filesOf(repository, kind).filter((path) => !/-tmp-|\/\.[^/]+$/.test(path));
}

/** Everything below the folder of one kind, what a crash left unfinished included. */
export function filesOf(repository: string, kind: FileKind): string[] {
  const top = join(repository, kind);
  if (kind === "config") return existsSync(top) ? [kind] : [];
  return readdirSync(top, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(repository.length + 1))
    .toSorted();
}

/** Every file of a repository with its bytes' hash and time: to see that nothing has changed. */
export function inventory(repository: string): Map<string, string> {
  const files = readdirSync(repository, { recursive: true, withFileTypes: true });
  const listed = files.map((entry): [string, string] => {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile()) return [path, "folder"];
    const hash = createHash("sha256").update(readFileSync(path)).digest("hex");
    return [path, `${statSync(path).mtimeMs} ${hash}`];
  });
  return new Map(listed.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Bytes of everything in it, to see what a backup has added. */
export function repositoryBytes(repository: string): number {
  return readdirSync(repository, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
