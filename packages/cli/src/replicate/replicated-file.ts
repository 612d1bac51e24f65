import type { FileType } from "@comeback/core";

/** What is replicated: everything but locks, which belong to those at work in the source. */
export type ReplicatedType = Exclude<FileType, "lock">;

/** A file by its path below the repository's folder. */
export interface ReplicatedFile {
  readonly path: string;
  readonly sizeBytes: number;
}

/**
 * The order in which a copy has to grow. Whatever exists is complete then: a snapshot comes after
 * the index files that it needs, and those after their packs. Before the config is there, nobody
 * takes the folder for a repository; keys come even before it, as `init` writes them.
 */
export const SENDING_ORDER: readonly ReplicatedType[] = [
  "key",
  "config",
  "pack",
  "index",
  "snapshot",
];

/** ... and the order in which it may shrink. The config stays. */
export const REMOVING_ORDER: readonly ReplicatedType[] = ["snapshot", "index", "pack", "key"];

const FOLDERS: Readonly<Record<Exclude<ReplicatedType, "config">, string>> = {
  key: "keys",
  snapshot: "snapshots",
  index: "index",
  pack: "data",
};

/** restic's default layout. */
export function pathOfFile(type: ReplicatedType, name: string): string {
  if (type === "config") return "config";
  return type === "pack" ? `data/${name.slice(0, 2)}/${name}` : `${FOLDERS[type]}/${name}`;
}

/** The kind of file that a path names; undefined for what is none of a repository's. */
export function typeOfPath(path: string): ReplicatedType | undefined {
  if (path === "config") return "config";
  const match = /^(keys|snapshots|index|data\/([0-9a-f]{2}))\/([0-9a-f]{64})$/.exec(path);
  if (match === null) return undefined;
  const [, folder = "", prefix, name = ""] = match;
  if (prefix !== undefined) return name.startsWith(prefix) ? "pack" : undefined;
  return SENDING_ORDER.find((type) => type !== "config" && FOLDERS[type] === folder);
}
