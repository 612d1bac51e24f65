import { readFile } from "node:fs/promises";
import { type BackendFactory, ComebackError } from "@comeback/core";
import type { GlobalOptions } from "../options/global-options.ts";

/** Kinds of storage that restic knows and this version does not serve yet. */
const PLANNED_SCHEMES = ["azure", "b2", "gs", "s3", "sftp", "swift"];
const SUPPORTED =
  "a folder (/mnt/backup/comeback or local:/mnt/backup/comeback), " +
  "a REST server (rest:https://host/path/), rclone (rclone:remote:path)";

/** The kind of storage that a location names, and how it is opened. */
export interface BackendPlace {
  readonly factory: BackendFactory;
  readonly location: string;
}

/** Where the repository is, as the user gave it. */
export async function repositoryLocation(globals: GlobalOptions): Promise<string> {
  const place = globals.repository;
  if (place?.kind === "location") return place.location;
  if (place === undefined) {
    throw new ComebackError("option.invalid", "no repository is given", {
      next: "use -r PATH, --repository-file FILE, or set COMEBACK_REPOSITORY",
    });
  }
  try {
    const location = (await readFile(place.path, "utf8")).trim();
    if (location !== "") return location;
  } catch (cause) {
    throw new ComebackError("option.invalid", "the repository file cannot be read", {
      next: "check --repository-file (or COMEBACK_REPOSITORY_FILE)",
      cause,
    });
  }
  throw new ComebackError("option.invalid", `the repository file ${place.path} is empty`, {
    next: "write the repository's location into it",
  });
}

/** The adapter for a location. Adapters are loaded only when they are used. */
export async function findBackend(location: string): Promise<BackendPlace> {
  const scheme = schemeOf(location);
  if (scheme === "rclone") {
    const { rcloneBackendFactory } = await import("@comeback/backend-rclone");
    return { factory: rcloneBackendFactory, location };
  }
  if (scheme === "rest") {
    const { restBackendFactory } = await import("@comeback/backend-rest");
    return { factory: restBackendFactory, location };
  }
  if (scheme !== undefined && scheme !== "local") throw unsupported(scheme);
  const { localBackendFactory } = await import("@comeback/backend-local");
  return { factory: localBackendFactory, location };
}

/** As restic reads it: what stands before a colon is a kind of storage, unless it is a path. */
function schemeOf(location: string): string | undefined {
  return /^([^/.:][^/:]*):/.exec(location)?.[1];
}

function unsupported(scheme: string): ComebackError {
  const what = PLANNED_SCHEMES.includes(scheme)
    ? `repositories on ${scheme} are not supported yet`
    : `"${scheme}:" is no kind of storage`;
  return new ComebackError("option.invalid", what, { next: `supported today: ${SUPPORTED}` });
}
