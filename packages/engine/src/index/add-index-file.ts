import { decodeIndexFile } from "./index-file.ts";
import type { RepositoryIndex } from "./repository-index.ts";
import { scanIndexFile } from "./scan-index-file.ts";

/** The packs that one index file lists. */
export interface IndexFileListing {
  readonly packs: readonly string[];
  /** Those that wait to be deleted. */
  readonly marked: readonly string[];
}

/** Puts what an index file lists into `index`, the quick way where it is written as restic does. */
export function addIndexFile(
  index: RepositoryIndex,
  json: Uint8Array,
  what: string,
): IndexFileListing {
  const scanned = scanIndexFile(json);
  if (scanned !== undefined) {
    index.addScanned(scanned);
    return { packs: scanned.packs.map(({ id }) => id), marked: [] };
  }
  const packs: string[] = [];
  const marked: string[] = [];
  for (const pack of decodeIndexFile(json, what)) {
    index.addPack(pack);
    (pack.mark === undefined ? packs : marked).push(pack.id);
  }
  return { packs, marked };
}
