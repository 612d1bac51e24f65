/** What workers do for a check. */
export interface CheckTasks {
  /** Opens every blob of a pack, and compares the pack with its name, its header and the index. */
  "check.pack": { input: CheckPackInput; output: CheckPackOutput };
}

export interface CheckPackInput {
  readonly packId: string;
  /** The whole pack, transferred. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** What the index says of the pack. */
  readonly blobs: readonly import("../pack/header.ts").PackedBlob[];
}

export interface CheckPackOutput {
  /** One sentence each; empty where all holds. */
  readonly problems: readonly string[];
}
