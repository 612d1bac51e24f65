/** What workers do for a dump. */
export interface DumpTasks {
  /** Opens blobs that are needed soon, and hands their content back. */
  "dump.open": { input: OpenBlobsInput; output: OpenBlobsOutput };
}

export interface OpenBlobsInput {
  /** A part of a pack, transferred. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** Where in its pack `data` begins. */
  readonly startOffset: number;
  /** Entries of the blob table. */
  readonly entries: Uint32Array<ArrayBuffer>;
}

export interface OpenBlobsOutput {
  /** The plaintexts, one behind the other; a blob that does not hold has no bytes here. */
  readonly content: Uint8Array<ArrayBuffer>;
  /** For each entry where its plaintext ends in `content`. */
  readonly ends: Uint32Array<ArrayBuffer>;
  /** For each entry 1 where the blob holds. */
  readonly holds: Uint8Array<ArrayBuffer>;
}
