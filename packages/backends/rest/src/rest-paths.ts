import type { FileType, RepositoryFile } from "@comeback/core";

/** restic's REST protocol: packs are below `data` without the folders that disks have. */
const FOLDERS: Readonly<Record<Exclude<FileType, "config">, string>> = {
  key: "keys",
  lock: "locks",
  snapshot: "snapshots",
  index: "index",
  pack: "data",
};

export function pathOf(basePath: string, file: RepositoryFile): string {
  return file.type === "config"
    ? `${basePath}config`
    : `${basePath}${FOLDERS[file.type]}/${file.name}`;
}

export function listPathOf(basePath: string, type: Exclude<FileType, "config">): string {
  return `${basePath}${FOLDERS[type]}/`;
}
