/** Parts of the engine for benchmarks and tests: not the library's interface, and free to change. */
export { runTasksInThisThread } from "./cpu-pool/in-this-thread.ts";
export { type Chunker, createChunker } from "./chunker/chunker.ts";
export { BlobCodec, sealedBound, sha256 } from "./crypto/blob-codec.ts";
export { BlobTable, idWordsFromBytes } from "./index/blob-table.ts";
export { encodeIndexFile } from "./index/index-file.ts";
export { generateMasterKey } from "./crypto/master-key.ts";
