/** What workers do for a check. */
export interface CheckTasks {
  /** Makes the worker ready, so that its start overlaps with the loading of the index. */
  "check.prepare": { input: null; output: null };
  /** Opens blobs of a pack, compares a whole pack with its name, header and index, reads its trees. */
  "check.pack": { input: CheckPackInput; output: CheckPackOutput };
  /** Says which blobs the reachable trees of a pack use. */
  "check.references": { input: CheckReferencesInput; output: CheckReferencesOutput };
}

export interface CheckPackInput {
  readonly packId: string;
  /** The pack from `startOffset` on; transferred. */
  readonly data: Uint8Array<ArrayBuffer>;
  readonly startOffset: number;
  /** Whether `data` is the whole pack: then its name and its header are compared, too. */
  readonly whole: boolean;
  /** Entries of the blob table that are to be opened, by ascending offset. */
  readonly entries: Uint32Array;
}

export interface DamagedBlob {
  readonly entry: number;
  readonly why: string;
}

/** Something wrong inside a tree that could be opened. */
export interface TreeFinding {
  /** The tree, as its canonical entry. */
  readonly tree: number;
  readonly why: string;
  /** Where one node of the tree is concerned: its name, raw bytes. */
  readonly nodeName?: string;
  /** Where a blob is missing from the index: which. */
  readonly missing?: { readonly type: "data" | "tree"; readonly id: string };
}

export interface CheckPackOutput {
  /** What is wrong with the pack itself, one sentence each. */
  readonly problems: readonly string[];
  readonly damagedBlobs: readonly DamagedBlob[];
  readonly treeFindings: readonly TreeFinding[];
  /** For each tree that could be read: its canonical entry, the count of subtrees, their entries. */
  readonly edges: Uint32Array<ArrayBuffer>;
  readonly blobsOpened: number;
}

export interface CheckReferencesInput {
  readonly data: Uint8Array<ArrayBuffer>;
  readonly startOffset: number;
  readonly entries: Uint32Array;
  /** One bit an entry: trees that a snapshot reaches. Others are passed over. */
  readonly reached: SharedArrayBuffer;
  /** One bit an entry: set for data blobs in use. */
  readonly used: SharedArrayBuffer;
  /** One bit an entry: data blobs whose users are asked for. */
  readonly wanted?: SharedArrayBuffer;
}

export interface CheckReferencesOutput {
  readonly users: readonly { readonly tree: number; readonly nodeName: string }[];
}
