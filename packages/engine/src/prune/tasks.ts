import type { IndexedPack } from "../index/index-file.ts";
import type { PackedBlob } from "../pack/header.ts";

/** What workers do for a prune. */
export interface PruneTasks {
  /** Marks everything that trees of a pack lead to as used, as far as it stands in that pack. */
  "prune.trees": { input: FollowTreesInput; output: FollowTreesOutput };
  /** Opens blobs that are to be copied, and compresses again what is not compressed yet. */
  "prune.boxes": { input: OpenBoxesInput; output: OpenBoxesOutput };
  /** Makes an index file of packs, sealed and ready to be stored. */
  "prune.index": { input: EncodeIndexInput; output: EncodeIndexOutput };
}

export interface FollowTreesInput {
  /** A part of a pack; transferred. */
  readonly data: Uint8Array<ArrayBuffer>;
  readonly startOffset: number;
  /** Trees in that part, as entries of the blob table. */
  readonly entries: Uint32Array;
  /** One bit an entry of the table, by canonical entries. */
  readonly used: SharedArrayBuffer;
}

/** A blob that a tree names and the index does not have. */
export interface MissingBlob {
  readonly type: "data" | "tree";
  readonly id: string;
  /** The tree that names it, or the snapshot. */
  readonly namedBy: string;
}

export interface FollowTreesOutput {
  /** Trees that were newly found to be used, and stand elsewhere: canonical entries. */
  readonly next: Uint32Array<ArrayBuffer>;
  /** Trees whose copy in this pack does not hold. */
  readonly failed: readonly number[];
  /** The first ones of them. */
  readonly missing: readonly MissingBlob[];
  readonly trees: number;
}

export interface OpenBoxesInput {
  /** A part of a pack; transferred, there and back. */
  readonly data: Uint8Array<ArrayBuffer>;
  readonly startOffset: number;
  readonly entries: Uint32Array;
  readonly recompress: boolean;
}

/** A blob that was sealed once more. */
export interface ResealedBlob {
  readonly entry: number;
  readonly box: Uint8Array<ArrayBuffer>;
  readonly uncompressedLength: number;
}

export interface OpenBoxesOutput {
  readonly data: Uint8Array<ArrayBuffer>;
  /** Entries whose box or hash does not hold. */
  readonly damaged: readonly number[];
  readonly resealed: readonly ResealedBlob[];
}

/** A pack as it is to be listed; its blobs mostly as entries of the blob table. */
export interface PackToList extends Omit<IndexedPack, "blobs"> {
  readonly blobs: Uint32Array | readonly PackedBlob[];
}

export interface EncodeIndexInput {
  readonly packs: readonly PackToList[];
}

export interface EncodeIndexOutput {
  readonly stored: Uint8Array<ArrayBuffer>;
}
