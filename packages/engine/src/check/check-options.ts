import type { ByteString, RepositoryFile } from "@comeback/core";
import type { Repository } from "../repository/repository.ts";
import type { CheckCoverage, CheckMemory } from "./check-memory.ts";

/** How much of the packs' data is read. Trees and their packs always are. */
export type ReadData =
  | { readonly kind: "none" }
  | { readonly kind: "all" }
  /** The packs whose id's first byte, modulo `of`, is `part` - 1: `of` runs together read all. */
  | { readonly kind: "part"; readonly part: number; readonly of: number }
  /** That share of the packs, chosen at random. */
  | { readonly kind: "percentage"; readonly percentage: number }
  /** About that many bytes of packs, chosen at random. */
  | { readonly kind: "size"; readonly sizeBytes: number }
  /** Those that `memory` says were not read for longest, so that each is within this time. */
  | { readonly kind: "every"; readonly everyMs: number };

/** The same without regard to what was read before. */
export type ReadShare = Exclude<ReadData, { readonly kind: "every" }>;

export interface CheckOptions {
  /**
   * Open; its index need not be loaded. Open it without a cache: otherwise trees are read from the
   * cache, and the check says nothing of those in the repository.
   */
  readonly repository: Repository;
  /** Default: none. */
  readonly readData?: ReadData;
  /** Is told what was read, and says what is due. The caller keeps it. */
  readonly memory?: CheckMemory;
  /** Also count the blobs that no snapshot uses. */
  readonly findUnused?: boolean;
  /** Worker threads; default: one per core. */
  readonly workers?: number;
  readonly signal?: AbortSignal | undefined;
  readonly observer?: CheckObserver;
}

export interface CheckObserver {
  /** Handed over once at the start; its fields move on while the check runs. */
  onStart?(progress: Readonly<CheckProgress>): void;
  /** Called for each problem as soon as it is certain. */
  onProblem?(problem: CheckProblem): void;
}

/** Live counts, for whoever draws a progress bar. */
export interface CheckProgress {
  phase: "snapshots" | "index" | "packs" | "trees" | "naming" | "done";
  packsDone: number;
  packsTotal: number;
  bytesDone: number;
  bytesTotal: number;
  problems: number;
}

/** What is damaged: a stored file, or a blob or tree that a snapshot needs and that no pack gives. */
export type CheckProblemKind =
  | "key"
  | "index"
  | "snapshot"
  | "pack-missing"
  | "pack"
  | "tree-missing"
  | "tree"
  | "blob-missing"
  | "blob";

export interface CheckProblem {
  readonly kind: CheckProblemKind;
  /** One sentence that names the file, tree or blob. */
  readonly message: string;
  /** What exactly does not hold, one sentence each; the first ones where there are many. */
  readonly details: readonly string[];
  /** The file of the repository that is damaged. */
  readonly file?: RepositoryFile;
  /** The tree or data blob that is damaged or missing. */
  readonly blob?: { readonly type: "data" | "tree"; readonly id: string };
}

/** Nothing is lost by it, but a person may want to know. */
export interface CheckHint {
  readonly kind:
    | "pack-not-indexed"
    | "pack-indexed-twice"
    | "pack-marked"
    | "mixed-pack"
    | "old-index-format";
  readonly message: string;
  readonly count: number;
  /** Ids of the files; the first ones where there are many. */
  readonly ids: readonly string[];
}

/** A file or folder of a snapshot that damage affects. */
export interface AffectedPath {
  readonly snapshotId: string;
  /** Absolute within the snapshot, raw bytes; a folder stands for everything below it. */
  readonly path: ByteString;
}

export interface CheckCounts {
  readonly indexFiles: number;
  readonly snapshots: number;
  /** Packs, blobs and bytes that the index lists. */
  readonly packs: number;
  readonly blobs: number;
  readonly packBytes: number;
  /** Trees that the snapshots reach, each counted once. */
  readonly trees: number;
  /** Packs that were read and verified as a whole, and the bytes of all that was read. */
  readonly packsRead: number;
  readonly bytesRead: number;
  readonly blobsVerified: number;
}

export interface CheckResult {
  /** Whether nothing is damaged in all that was checked. */
  readonly ok: boolean;
  readonly problems: readonly CheckProblem[];
  /** All problems, also those beyond the ones kept. */
  readonly problemCount: number;
  readonly hints: readonly CheckHint[];
  readonly counts: CheckCounts;
  /** Files and folders that can no longer be restored whole; the first ones where there are many. */
  readonly affected: readonly AffectedPath[];
  /** Whether `affected` names all of them. */
  readonly affectedIsComplete: boolean;
  /** What could not be checked at all, because the index that leads to it is damaged. */
  readonly unchecked: readonly ("packs" | "trees" | "data")[];
  /** Packs with damage in them, by id. */
  readonly damagedPacks: readonly string[];
  /** With `memory`. */
  readonly coverage?: CheckCoverage;
  /** With `findUnused`. */
  readonly unused?: {
    readonly blobs: number;
    readonly bytes: number;
    readonly ids: readonly string[];
  };
}
