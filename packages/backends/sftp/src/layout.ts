import type { FileType, RepositoryFile } from "@comeback/core";

/** Folders of the default layout (restic design, "Repository Layout"). */
const FOLDERS: Readonly<Record<Exclude<FileType, "config">, string>> = {
  key: "keys",
  lock: "locks",
  snapshot: "snapshots",
  index: "index",
  pack: "data",
};

/** What lies in a folder of the server: its separator is `/`, whatever the server runs on. */
export function below(folder: string, name: string): string {
  return folder.endsWith("/") ? folder + name : `${folder}/${name}`;
}

/** The folder that a path lies in; a relative one begins in the home folder, which is "". */
export function parentOf(path: string): string {
  const cut = path.lastIndexOf("/");
  return cut === 0 ? "/" : path.slice(0, Math.max(cut, 0));
}

/** The folder that holds all files of a type; for `config` the repository's own. */
export function typeFolder(root: string, type: FileType): string {
  return type === "config" ? root : below(root, FOLDERS[type]);
}

/** The folder that holds this file. Packs are spread over 256 folders by their first two digits. */
export function folderOf(root: string, file: RepositoryFile): string {
  const folder = typeFolder(root, file.type);
  return file.type === "pack" ? below(folder, file.name.slice(0, 2)) : folder;
}

export function pathOf(root: string, file: RepositoryFile): string {
  return below(folderOf(root, file), file.type === "config" ? "config" : file.name);
}

/** The folders below an empty repository's own, parents first, as `restic init` makes them. */
export function layoutFolders(root: string): string[] {
  const data = typeFolder(root, "pack");
  const spread = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));
  return [
    ...Object.values(FOLDERS).map((name) => below(root, name)),
    ...spread.map((name) => below(data, name)),
  ];
}

/** Permission bits of what is written. */
export interface LayoutModes {
  readonly folder: number;
  readonly file: number;
}

/**
 * A repository whose config the group may read is shared with that group, as restic decides it.
 * Files stay writable for their owner, as restic leaves them on a server: some servers remove no
 * file that is read-only.
 */
export function modesFor(configMode: number | undefined): LayoutModes {
  const shared = configMode !== undefined && (configMode & 0o040) !== 0;
  return shared ? { folder: 0o770, file: 0o640 } : { folder: 0o700, file: 0o600 };
}
