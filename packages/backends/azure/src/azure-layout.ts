import { isRepositoryFileName } from "@comeback/core";
import type { FileType, RepositoryFile } from "@comeback/core";

/** Folders of restic's default layout (restic design, "Repository Layout"). */
const FOLDERS: Readonly<Record<Exclude<FileType, "config">, string>> = {
  key: "keys",
  lock: "locks",
  snapshot: "snapshots",
  index: "index",
  pack: "data",
};
const CONFIG_NAME = "config";

function below(prefix: string, name: string): string {
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** What the names of all blobs of a type begin with. */
export function typePrefix(prefix: string, type: FileType): string {
  return below(prefix, type === "config" ? CONFIG_NAME : `${FOLDERS[type]}/`);
}

/** The name of the blob that holds a file. Packs lie in 256 "folders" by their first two digits. */
export function blobNameOf(prefix: string, file: RepositoryFile): string {
  const start = typePrefix(prefix, file.type);
  if (file.type === "config") return start;
  return file.type === "pack" ? `${start}${packFolder(file.name)}${file.name}` : start + file.name;
}

/** The file that a blob holds, or undefined for a blob that is none of the repository's. */
export function fileNameOf(prefix: string, type: FileType, blobName: string): string | undefined {
  const start = typePrefix(prefix, type);
  if (type === "config") return blobName === start ? "" : undefined;
  if (!blobName.startsWith(start)) return undefined;
  const rest = blobName.slice(start.length);
  const name = type === "pack" ? rest.slice(packFolder("").length + 2) : rest;
  // A pack in the folder of others cannot be loaded, so it is not listed either.
  const isOurs = isRepositoryFileName(name) && blobNameOf(prefix, { type, name }) === blobName;
  return isOurs ? name : undefined;
}

function packFolder(name: string): string {
  return `${name.slice(0, 2)}/`;
}
