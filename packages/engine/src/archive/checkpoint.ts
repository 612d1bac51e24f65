import { decodeUnpacked, encodeUnpacked } from "../crypto/unpacked.ts";
import { isId } from "../index/blob-table.ts";
import type { Repository } from "../repository/repository.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";

/**
 * Where a backup leaves its checkpoint, on this machine: one place for each repository, host and
 * set of paths.
 *
 * - `load` gives what was saved last, or `undefined` where there is nothing or nothing readable.
 * - `save` is atomic: a crash leaves the old checkpoint or the new one.
 * - None of them ever rejects: a backup does not fail for want of a checkpoint.
 */
export interface CheckpointStore {
  load(): Promise<Uint8Array | undefined>;
  save(checkpoint: Uint8Array): Promise<void>;
  remove(): Promise<void>;
}

/**
 * How far a backup had come that did not end: the tree of what was finished by then. No snapshot,
 * so that nothing incomplete ever looks like one; only the next backup of the same looks into it.
 */
export interface Checkpoint {
  readonly time: string;
  readonly hostname: string;
  readonly paths: readonly string[];
  readonly tree: string;
}

/** The checkpoint as it is kept: sealed as all files of the repository are, for it names paths. */
export function encodeCheckpoint(checkpoint: Checkpoint, repository: Repository): Uint8Array {
  const json = Buffer.from(JSON.stringify(checkpoint));
  return encodeUnpacked(json, repository.config.version, repository.codec);
}

/** `undefined` for whatever is not a sound checkpoint of this repository. */
export function decodeCheckpoint(
  stored: Uint8Array,
  repository: Repository,
): Checkpoint | undefined {
  let parsed: Partial<Checkpoint> | null;
  try {
    const json = decodeUnpacked(stored, repository.codec, "the checkpoint");
    parsed = JSON.parse(Buffer.from(json).toString("utf8"));
  } catch {
    return undefined;
  }
  const ok =
    isId(parsed?.tree) &&
    typeof parsed.time === "string" &&
    !Number.isNaN(Date.parse(parsed.time)) &&
    typeof parsed.hostname === "string" &&
    Array.isArray(parsed.paths);
  return ok ? (parsed as Checkpoint) : undefined;
}

export interface FindCheckpointOptions {
  readonly store: CheckpointStore;
  readonly hostname: string;
  readonly paths: readonly string[];
  /** The snapshot that the backup is compared with: an older checkpoint has nothing to add. */
  readonly parent?: Snapshot | undefined;
}

/**
 * The checkpoint that a backup may go on from, if there is one. The repository's index has been
 * loaded: a checkpoint whose tree was pruned since is none.
 */
export async function findCheckpoint(
  repository: Repository,
  options: FindCheckpointOptions,
): Promise<Checkpoint | undefined> {
  const stored = await options.store.load();
  const checkpoint = stored && decodeCheckpoint(stored, repository);
  if (checkpoint === undefined) return undefined;
  const { hostname, paths, parent } = options;
  const isOfTheSame =
    checkpoint.hostname === hostname && isSameList([...checkpoint.paths], [...paths]);
  const isOlder = parent !== undefined && Date.parse(checkpoint.time) <= Date.parse(parent.time);
  const isThere = repository.index.has("tree", checkpoint.tree);
  return isOfTheSame && !isOlder && isThere ? checkpoint : undefined;
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}
