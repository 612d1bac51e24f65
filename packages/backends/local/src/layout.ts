import { join } from "node:path";
import type { FileType, RepositoryFile } from "@comeback/core";

/** Folders of the default layout (restic design, "Repository Layout"). */
const FOLDERS: Readonly<Record<Exclude<FileType, "config">, string>> = {
  key: "keys",
  lock: "locks",
  snapshot: "snapshots",
  index: "index",
  pack: "data",
};

export const CONFIG_NAME = "config";

/** The folder that holds all files of a type; for `config` the repository's own. */
export function typeFolder(root: string, type: FileType): string {
  return type === "config" ? root : join(root, FOLDERS[type]);
}

/** The folder that holds this file. Packs are spread over 256 folders by their first two digits. */
export function folderOf(root: string, file: RepositoryFile): string {
  const folder = typeFolder(root, file.type);
  return file.type === "pack" ? join(folder, file.name.slice(0, 2)) : folder;
}

export function pathOf(root: string, file: RepositoryFile): string {
  return join(folderOf(root, file), file.type === "config" ? CONFIG_NAME : file.name);
}

/** The 256 names of the folders below `data`. */
export function packFolderNames(): string[] {
  return Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));
}

/** Every folder of an empty repository, parents first, as `restic init` makes them. */
export function layoutFolders(root: string): string[] {
  const data = typeFolder(root, "pack");
  return [
    root,
    ...Object.values(FOLDERS).map((name) => join(root, name)),
    ...packFolderNames().map((name) => join(data, name)),
  ];
}

/** Permission bits of what is written. */
export interface LayoutModes {
  readonly folder: number;
  readonly file: number;
}

/**
 * A repository whose config the group may read is shared with that group: everything new is
 * readable for it as well (as restic decides it). Files are read-only, against accidents.
 */
export function modesFor(configMode: number | undefined): LayoutModes {
  const shared = configMode !== undefined && (configMode & 0o040) !== 0;
  return shared ? { folder: 0o770, file: 0o440 } : { folder: 0o700, file: 0o400 };
}
