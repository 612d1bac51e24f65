import { isRepositoryFileName } from "@comeback/core";
import type { FileType, RepositoryFile } from "@comeback/core";

/** restic's default layout (restic design, "Repository Layout"). */
const FOLDERS: Readonly<Record<Exclude<FileType, "config">, string>> = {
  key: "keys",
  lock: "locks",
  snapshot: "snapshots",
  index: "index",
  pack: "data",
};

/** The name of an object below the repository's prefix. */
export function keyOf(prefix: string, file: RepositoryFile): string {
  if (file.type === "config") return withPrefix(prefix, "config");
  const spread = file.type === "pack" ? `${file.name.slice(0, 2)}/` : "";
  return withPrefix(prefix, `${FOLDERS[file.type]}/${spread}${file.name}`);
}

/** What the names of all objects of a type begin with. */
export function folderKeyOf(prefix: string, type: Exclude<FileType, "config">): string {
  return withPrefix(prefix, `${FOLDERS[type]}/`);
}

export function withPrefix(prefix: string, name: string): string {
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** The file's name where an object is one of ours, at exactly the place where it is looked for. */
export function nameOf(prefix: string, type: FileType, key: string): string | undefined {
  const name = key.slice(key.lastIndexOf("/") + 1);
  if (type === "config" || !isRepositoryFileName(name)) return undefined;
  return keyOf(prefix, { type, name }) === key ? name : undefined;
}
