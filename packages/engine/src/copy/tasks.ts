import type { FinishedPack, OpenPack } from "../pack/packer.ts";

/** What workers do for a copy. */
export interface CopyTasks {
  /** Reads trees of the source, and marks what they need and the target lacks. */
  "copy.trees": { input: CopyTreesInput; output: CopyTreesOutput };
  /** Says which trees of the source name a blob that is lost. */
  "copy.users": { input: CopyUsersInput; output: CopyUsersOutput };
  /** Puts blobs of the source into packs of the target. */
  "copy.blobs": { input: CopyBlobsInput; output: CopyBlobsOutput };
  /** Gives up the packs that are not full yet. */
  "copy.flush": { input: null; output: CopyFlushOutput };
}

/** Blobs of one pack of the source, in one piece of it. */
export interface CopyPiece {
  /** The pack from `startOffset` on; transferred. */
  readonly data: Uint8Array<ArrayBuffer>;
  readonly startOffset: number;
  /** Entries of the source's blob table, by ascending offset. */
  readonly entries: Uint32Array;
}

export interface CopyTreesInput extends CopyPiece {
  /** The marks: see wanted-blobs.ts. */
  readonly marks: SharedArrayBuffer;
  readonly batch: number;
}

export interface CopyTreesOutput {
  /** For each tree that could be read: its entry, the count of subtrees, their entries. */
  readonly edges: Uint32Array<ArrayBuffer>;
  /** Trees whose box or hash does not hold. */
  readonly damaged: readonly number[];
  /** Trees that name what the source's index does not list, or that are no proper trees. */
  readonly incomplete: readonly IncompleteTree[];
  /** What was newly marked. */
  readonly wantedBlobs: number;
  readonly wantedBytes: number;
}

export interface IncompleteTree {
  readonly tree: number;
  readonly why: string;
}

export interface CopyUsersInput extends CopyPiece {
  /** One bit an entry: blobs that are lost. */
  readonly lost: SharedArrayBuffer;
}

export interface CopyUsersOutput {
  readonly users: readonly number[];
  /** Trees whose box or hash does not hold. */
  readonly damaged: readonly number[];
}

export interface CopyBlobsInput extends CopyPiece {
  readonly recompress: boolean;
}

export interface CopyBlobsOutput {
  /** Packs that became full on the way; their buffers are transferred. */
  readonly packs: readonly FinishedPack[];
  readonly treePacks: readonly FinishedPack[];
  /** Entries whose box or hash does not hold. */
  readonly damaged: readonly number[];
  readonly dataBlobs: number;
  readonly treeBlobs: number;
}

export interface CopyFlushOutput {
  readonly data: OpenPack | undefined;
  readonly trees: OpenPack | undefined;
}
