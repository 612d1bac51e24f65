import type { OperationOptions } from "@comeback/core";
import { ComebackError, isComebackError } from "@comeback/core";
import {
  decodeSnapshot,
  encodeSnapshot,
  type Snapshot,
  type SnapshotFile,
} from "../snapshot/snapshot.ts";
import { eachConcurrently, type Repository } from "./repository.ts";

/** Which snapshots are meant. Lists are alternatives; the fields must all hold. */
export interface SnapshotFilter {
  readonly hosts?: readonly string[];
  /** Each item is a set of tags that a snapshot must all have ("" for: no tags at all). */
  readonly tags?: readonly (readonly string[])[];
  /** A snapshot must have all of these paths. */
  readonly paths?: readonly string[];
}

export function matchesFilter(snapshot: SnapshotFile, filter: SnapshotFilter): boolean {
  const { hosts = [], tags = [], paths = [] } = filter;
  return (
    (hosts.length === 0 || hosts.includes(snapshot.hostname ?? "")) &&
    (tags.length === 0 || tags.some((list) => hasTags(snapshot, list))) &&
    paths.every((path) => snapshot.paths.includes(path))
  );
}

/** Whether a snapshot has all tags of a list. As restic: "" stands for no tags at all. */
export function hasTags({ tags: own = [] }: SnapshotFile, list: readonly string[]): boolean {
  for (const tag of list) {
    if (tag === "" && own.length === 0) return true;
    if (!own.includes(tag)) return false;
  }
  return true;
}

/**
 * All snapshots that match, oldest first. One that another process removes meanwhile is left out;
 * one that is listed and yet not there fails, for nobody may take it for removed.
 */
export async function listSnapshots(
  repository: Repository,
  filter: SnapshotFilter = {},
  options: OperationOptions = {},
): Promise<Snapshot[]> {
  const snapshots: Snapshot[] = [];
  const missing = new Map<string, unknown>();
  const names = await snapshotNames(repository, options);
  await eachConcurrently(names, repository.backend.connections, async (name) => {
    try {
      const snapshot = await loadSnapshot(repository, name, options);
      if (matchesFilter(snapshot, filter)) snapshots.push(snapshot);
    } catch (error) {
      if (!isComebackError(error, "backend.not-found")) throw error;
      missing.set(name, error);
    }
  });
  if (missing.size > 0) {
    const now = await snapshotNames(repository, options);
    for (const [name, error] of missing) if (now.has(name)) throw error;
  }
  return snapshots.sort(bySnapshotTime);
}

async function snapshotNames(
  { backend }: Repository,
  options: OperationOptions,
): Promise<Set<string>> {
  const names = new Set<string>();
  for await (const { name } of backend.list("snapshot", options)) names.add(name);
  return names;
}

/** Oldest first. */
export function bySnapshotTime(a: Snapshot, b: Snapshot): number {
  return Date.parse(a.time) - Date.parse(b.time) || (a.id < b.id ? -1 : 1);
}

export async function loadSnapshot(
  repository: Repository,
  id: string,
  options: OperationOptions = {},
): Promise<Snapshot> {
  return decodeSnapshot(await repository.loadUnpacked("snapshot", id, options), id);
}

export async function saveSnapshot(
  repository: Repository,
  snapshot: SnapshotFile,
  options: OperationOptions = {},
): Promise<Snapshot> {
  const id = await repository.saveUnpacked("snapshot", encodeSnapshot(snapshot), options);
  return { ...snapshot, id };
}

/** The newest snapshot that matches, or `undefined`. */
export async function findLatest(
  repository: Repository,
  filter: SnapshotFilter,
  options: OperationOptions & { readonly notAfterMs?: number } = {},
): Promise<Snapshot | undefined> {
  const { notAfterMs = Number.POSITIVE_INFINITY } = options;
  const snapshots = await listSnapshots(repository, filter, options);
  return snapshots.findLast((snapshot) => Date.parse(snapshot.time) <= notAfterMs);
}

/** The snapshot that a person named: `latest` (with the filter), an id, or the start of one. */
export async function findSnapshot(
  repository: Repository,
  name: string,
  filter: SnapshotFilter = {},
  options: OperationOptions = {},
): Promise<Snapshot> {
  if (name === "latest") {
    const latest = await findLatest(repository, filter, options);
    if (latest !== undefined) return latest;
    throw new ComebackError("snapshot.not-found", "no snapshot matches", {
      why: "`latest` found nothing with the given host, tags and paths",
      next: "list what there is with `comeback snapshots`",
    });
  }
  const matches: string[] = [];
  if (/^[0-9a-f]+$/.test(name)) {
    for await (const file of repository.backend.list("snapshot", options)) {
      if (file.name.startsWith(name)) matches.push(file.name);
    }
  }
  const [match] = matches;
  if (matches.length === 1 && match !== undefined) return loadSnapshot(repository, match, options);
  if (match === undefined) {
    throw new ComebackError("snapshot.not-found", `there is no snapshot ${name}`, {
      next: "list the snapshots with `comeback snapshots`",
    });
  }
  const shown = matches.slice(0, 5).map((id) => id.slice(0, 12));
  throw new ComebackError("snapshot.ambiguous", `${name} is the start of several snapshots`, {
    why: `${shown.join(", ")}${matches.length > shown.length ? ", …" : ""} all begin with it`,
    next: "give more digits of the id",
  });
}
