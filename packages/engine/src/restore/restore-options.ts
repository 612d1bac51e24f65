import type { ByteString } from "@comeback/core";
import type { Repository } from "../repository/repository.ts";
import type { SnapshotSummary } from "../snapshot/snapshot.ts";

/** What happens to a file that is already there (the words of restic's `--overwrite`). */
export type OverwriteMode =
  /** Compare the content blob by blob, and write what differs. */
  | "always"
  /** The same, but size and modification time that agree are taken for agreement. */
  | "if-changed"
  /** Only where the snapshot's modification time is later. */
  | "if-newer"
  /** Never: only what is missing is restored. */
  | "never";

export const OVERWRITE_MODES: readonly OverwriteMode[] = [
  "always",
  "if-changed",
  "if-newer",
  "never",
];

export interface Selection {
  readonly selected: boolean;
  /** For a directory: something below it may be selected, although it is not itself. */
  readonly childMayBeSelected: boolean;
}

/**
 * Which entries are wanted. `path` begins with a slash and is relative to what is restored (the
 * subpath, where one is given). The answer for one path must not change during a restore.
 */
export type SelectEntry = (path: ByteString, isDirectory: boolean) => Selection;

export interface RestoreOptions {
  /** Open, with its index loaded and a lock held by the caller. */
  readonly repository: Repository;
  /** A snapshot, or anything else that names a tree. */
  readonly snapshot: { readonly tree: string; readonly summary?: SnapshotSummary };
  /** A directory in the snapshot whose contents are to land in the target. */
  readonly subpath?: ByteString;
  /** Made where it is missing; symlinks in this path are followed, none below it is. */
  readonly target: ByteString;
  /** Default: everything. */
  readonly select?: SelectEntry;
  /** Default: "always". */
  readonly overwrite?: OverwriteMode;
  /** Remove what the snapshot does not have, as far as it is selected. */
  readonly delete?: boolean;
  /** Compare and report, change nothing. */
  readonly dryRun?: boolean;
  /** Read every restored file again at the end, and compare it with the snapshot. */
  readonly verify?: boolean;
  /** Leave runs of zero bytes out of new files. */
  readonly sparse?: boolean;
  /** Worker threads; default: one per core. */
  readonly workers?: number;
  readonly signal?: AbortSignal | undefined;
  readonly observer?: RestoreObserver;
}

/** Something that could not be restored as it was. Everything else goes on. */
export interface RestoreProblem {
  /** Where it is in what is restored, with a leading slash. */
  readonly path: ByteString;
  readonly during: "read" | "write" | "metadata" | "link" | "delete" | "verify";
  readonly message: string;
}

/** What happened to one entry, in restic's words for its verbose output. */
export interface RestoredItem {
  readonly path: ByteString;
  readonly type: "file" | "dir" | "other";
  readonly action: "restored" | "updated" | "unchanged" | "deleted";
  readonly sizeBytes: number;
}

export interface RestoreObserver {
  /** Handed over once at the start; its fields move on while the restore runs. */
  onStart?(progress: Readonly<RestoreProgress>): void;
  onProblem?(problem: RestoreProblem): void;
  /** Something that is left out as it should be, and is no problem: a socket. */
  onNote?(path: ByteString, message: string): void;
  /** For verbose output only: called for every entry. */
  onItem?(item: RestoredItem): void;
}

/** Live counts. "Files" are entries of any kind, directories too, as restic counts them. */
export interface RestoreProgress {
  stage: "restore" | "verify";
  filesDone: number;
  filesTotal: number;
  /** Left as they were: unchanged, or protected by the overwrite mode. */
  filesSkipped: number;
  filesDeleted: number;
  /** Content of the files that are being restored. */
  bytesDone: number;
  bytesTotal: number;
  bytesSkipped: number;
  /** Bytes really written: less than `bytesDone` where blobs were already in place. */
  bytesWritten: number;
  filesVerified: number;
  bytesVerified: number;
  /** Until then the totals are the snapshot's own count, or what was seen so far. */
  totalsKnown: boolean;
  problems: number;
  /** The file that was finished last. */
  currentFile: ByteString;
}

/** The counts as they stood at the end; exit code 1 where `problems` is not 0. */
export interface RestoreResult extends Readonly<Omit<RestoreProgress, "stage" | "currentFile">> {
  /** The tree whose contents are in the target now. */
  readonly treeId: string;
  /** The first of the problems. */
  readonly problemsKept: readonly RestoreProblem[];
}
