import type { SaveOptions, RepositoryFile, ThawTier } from "@comeback/core";
import type { S3Settings } from "./settings.ts";

/** The classes that have to be thawed, and what AWS promises for each tier ("Archive retrieval"). */
const TIERS: Readonly<Record<string, readonly ThawTier[]>> = {
  GLACIER: [
    { name: "Bulk", waitHours: 12 },
    { name: "Standard", waitHours: 5 },
    { name: "Expedited", waitHours: 5 / 60 },
  ],
  DEEP_ARCHIVE: [
    { name: "Bulk", waitHours: 48 },
    { name: "Standard", waitHours: 12 },
  ],
};

export function tiersOf(storageClass: string): readonly ThawTier[] {
  return TIERS[storageClass] ?? [];
}

/** An object of this class cannot be read before it is thawed. */
export function isArchived(storageClass: string): boolean {
  return storageClass in TIERS;
}

/**
 * Where a file goes. What every command reads stays where it can be read at once, whatever is set:
 * a repository whose index is on tape cannot even be listed.
 */
export function storageClassFor(
  settings: S3Settings,
  file: RepositoryFile,
  options: SaveOptions,
): string | undefined {
  if (file.type === "pack" && options.packContent === "data") {
    return settings.storageClassData ?? settings.storageClass;
  }
  // Locks live for minutes, and the cold classes are paid for a month or more.
  const isSmall = file.type === "config" || file.type === "key" || file.type === "lock";
  if (isSmall || settings.storageClass === undefined) return undefined;
  return isArchived(settings.storageClass) ? undefined : settings.storageClass;
}
