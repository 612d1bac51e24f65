import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { FILE_TYPES, type FileType, type RepositoryFile } from "@comeback/core";
import { MemoryBackend } from "@comeback/testkit";
import { type FileKind, storedFiles } from "./repository-files.ts";

const FOLDERS: Readonly<Record<FileType, FileKind>> = {
  config: "config",
  key: "keys",
  lock: "locks",
  snapshot: "snapshots",
  index: "index",
  pack: "data",
};

/** The files of a repository in a folder, in memory: a copy of it costs next to nothing. */
export async function copyToMemory(folder: string): Promise<MemoryBackend> {
  const backend = new MemoryBackend();
  for (const type of FILE_TYPES) {
    for (const path of storedFiles(folder, FOLDERS[type])) {
      const name = type === "config" ? "" : basename(path);
      await backend.save({ type, name }, readFileSync(join(folder, path)));
    }
  }
  return backend;
}

/** The same in the other direction, without its locks. */
export function copyToFolder(backend: MemoryBackend, folder: string): void {
  for (const kind of Object.values(FOLDERS)) {
    if (kind !== "config") mkdirSync(join(folder, kind), { recursive: true });
  }
  for (const [type, files] of backend.contents()) {
    for (const [name, data] of type === "lock" ? [] : files) {
      const path = join(folder, pathOf({ type, name }));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, data);
    }
  }
}

function pathOf({ type, name }: RepositoryFile): string {
  if (type === "config") return "config";
  return join(FOLDERS[type], type === "pack" ? name.slice(0, 2) : "", name);
}
