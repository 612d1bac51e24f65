import { readFile } from "node:fs/promises";
import { type BackendFactory, ComebackError } from "@comeback/core";
import type { GlobalOptions } from "../options/global-options.ts";

/** A kind of storage: what it is called in messages, and its adapter, loaded when it is used. */
interface Adapter {
  readonly example: string;
  load(): Promise<BackendFactory>;
}

/** By scheme, as it stands before the colon of a location; a plain path is `local`. */
const ADAPTERS: Readonly<Record<string, Adapter>> = {
  local: {
    example: "a folder (/mnt/backup/comeback or local:/mnt/backup/comeback)",
    load: async () => (await import("@comeback/backend-local")).localBackendFactory,
  },
  s3: {
    example: "an object store (s3:s3.amazonaws.com/bucket/path, s3:https://host/bucket/path)",
    load: async () => (await import("@comeback/backend-s3")).s3BackendFactory,
  },
  sftp: {
    example: "sftp:USER@HOST:/PATH",
    load: async () => (await import("@comeback/backend-sftp")).sftpBackendFactory,
  },
  rest: {
    example: "rest:https://USER:PASSWORD@HOST/PATH/",
    load: async () => (await import("@comeback/backend-rest")).restBackendFactory,
  },
  rclone: {
    example: "rclone:REMOTE:PATH",
    load: async () => (await import("@comeback/backend-rclone")).rcloneBackendFactory,
  },
  azure: {
    example: "azure:CONTAINER:/PATH",
    load: async () => (await import("@comeback/backend-azure")).azureBackendFactory,
  },
};

/** Kinds of storage that restic knows, and this version not in all cases. */
const RESTIC_SCHEMES = ["azure", "b2", "gs", "rclone", "rest", "s3", "sftp", "swift"];

/** The kind of storage that a location names, and how it is opened. */
export interface BackendPlace {
  readonly factory: BackendFactory;
  readonly scheme: string;
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

/** The adapter for a location. */
export async function findBackend(location: string): Promise<BackendPlace> {
  const scheme = schemeOf(location) ?? "local";
  return { factory: await factoryOf(scheme), scheme, location };
}

/** The adapter for a kind of storage. */
export async function factoryOf(scheme: string): Promise<BackendFactory> {
  const adapter = Object.hasOwn(ADAPTERS, scheme) ? ADAPTERS[scheme] : undefined;
  if (adapter === undefined) throw unsupported(scheme);
  return adapter.load();
}

/** Whether a location names a folder: then its path says where it is, whoever asks. */
export function isFolderLocation(location: string): boolean {
  return (schemeOf(location) ?? "local") === "local";
}

/** As restic reads it: what stands before a colon is a kind of storage, unless it is a path. */
function schemeOf(location: string): string | undefined {
  return /^([^/.:][^/:]*):/.exec(location)?.[1];
}

function unsupported(scheme: string): ComebackError {
  const what = RESTIC_SCHEMES.includes(scheme)
    ? `repositories on ${scheme} are not supported yet`
    : `"${scheme}:" is no kind of storage`;
  const supported = Object.values(ADAPTERS)
    .map(({ example }) => example)
    .join(", ");
  return new ComebackError("option.invalid", what, { next: `supported today: ${supported}` });
}
