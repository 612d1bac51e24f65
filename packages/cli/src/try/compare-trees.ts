import type { ByteString } from "@comeback/core";
import type { ScannedEntry, ScannedTree } from "./scan-tree.ts";

export interface Difference {
  readonly path: ByteString;
  /** What is not the same, in a word or two each. */
  readonly what: readonly string[];
}

export interface Comparison {
  readonly differences: readonly Difference[];
  readonly comparedEntries: number;
  readonly comparedBytes: number;
  /** Entries that could not be read before, so that nothing can be said about them. */
  readonly unreadable: readonly ByteString[];
}

export interface CompareOptions {
  /** Only the superuser can give files to others: without, owners cannot come back. */
  readonly ownersMatter: boolean;
}

/** Compares what was there with what is there now: every byte, and every attribute. */
export function compareTrees(
  before: ScannedTree,
  now: ScannedTree,
  options: CompareOptions,
): Comparison {
  const differences: Difference[] = [];
  const unreadable: ByteString[] = [];
  let comparedEntries = 0;
  let comparedBytes = 0;
  for (const [path, entry] of before) {
    if (entry.unreadable !== undefined) {
      unreadable.push(path);
      continue;
    }
    const other = now.get(path);
    const what = other === undefined ? ["missing"] : differencesOf(entry, other, options);
    if (what.length > 0) differences.push({ path, what });
    comparedEntries++;
    comparedBytes += entry.sizeBytes ?? 0;
  }
  for (const path of now.keys()) {
    if (!before.has(path)) differences.push({ path, what: ["not there before"] });
  }
  return { differences, comparedEntries, comparedBytes, unreadable };
}

const FIELDS = [
  ["mode", "kind or permissions"],
  ["uid", "owner"],
  ["gid", "group"],
  ["sizeBytes", "size"],
  ["content", "content"],
  ["linkTarget", "link target"],
  ["device", "device number"],
  ["attributes", "extended attributes"],
  ["sameFileAs", "hard links"],
  ["unreadable", "readability"],
] as const;

function differencesOf(a: ScannedEntry, b: ScannedEntry, options: CompareOptions): string[] {
  const what: string[] = FIELDS.filter(([field]) => {
    if ((field === "uid" || field === "gid") && !options.ownersMatter) return false;
    return a[field] !== b[field];
  }).map(([, word]) => word);
  const sameTime =
    a.mtime.seconds === b.mtime.seconds && a.mtime.nanoseconds === b.mtime.nanoseconds;
  return sameTime ? what : [...what, "modification time"];
}
