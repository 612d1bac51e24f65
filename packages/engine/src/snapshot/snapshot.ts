import { damaged } from "@comeback/core";
import { isId } from "../index/blob-table.ts";

/** Counts that a backup writes into its snapshot, with restic's names. */
export interface SnapshotSummary {
  readonly backup_start: string;
  readonly backup_end: string;
  readonly files_new: number;
  readonly files_changed: number;
  readonly files_unmodified: number;
  readonly dirs_new: number;
  readonly dirs_changed: number;
  readonly dirs_unmodified: number;
  readonly data_blobs: number;
  readonly tree_blobs: number;
  readonly data_added: number;
  readonly data_added_packed: number;
  readonly total_files_processed: number;
  readonly total_bytes_processed: number;
}

/** A snapshot's JSON, in restic's key order. Keys we do not know survive a rewrite. */
export interface SnapshotFile {
  readonly time: string;
  readonly parent?: string;
  readonly tree: string;
  readonly paths: readonly string[];
  readonly hostname?: string;
  readonly username?: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly excludes?: readonly string[];
  readonly tags?: readonly string[];
  readonly original?: string;
  readonly program_version?: string;
  readonly summary?: SnapshotSummary;
  readonly [other: string]: unknown;
}

export interface Snapshot extends SnapshotFile {
  /** 64 hex digits: the name of its file. */
  readonly id: string;
}

/** restic leaves empty fields out; so do we, or the same snapshot would have two names. */
export function encodeSnapshot(snapshot: SnapshotFile): Buffer {
  const entries = Object.entries(snapshot).filter(
    ([key, value]) => key !== "id" && !isEmpty(key, value),
  );
  return Buffer.from(JSON.stringify(Object.fromEntries(entries)));
}

function isEmpty(key: string, value: unknown): boolean {
  if (value === undefined || value === "") return true;
  if (key === "uid" || key === "gid") return value === 0;
  return (key === "tags" || key === "excludes") && Array.isArray(value) && value.length === 0;
}

export function decodeSnapshot(json: Uint8Array, id: string): Snapshot {
  const what = `snapshot ${id.slice(0, 8)}`;
  let parsed: SnapshotFile | null;
  try {
    parsed = JSON.parse(Buffer.from(json).toString("utf8"));
  } catch (cause) {
    throw damaged(what, "it is not JSON", cause);
  }
  const ok =
    typeof parsed === "object" &&
    parsed !== null &&
    isId(parsed.tree) &&
    typeof parsed.time === "string" &&
    !Number.isNaN(Date.parse(parsed.time)) &&
    isTextList(parsed.paths ?? []) &&
    isTextList(parsed.tags ?? []);
  if (!ok) throw damaged(what, "a field is missing or of the wrong type");
  return { ...(parsed as SnapshotFile), paths: parsed?.paths ?? [], id };
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
