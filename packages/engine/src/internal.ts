/** Parts of the engine for benchmarks: not the library's interface, and free to change. */
export { createChunker } from "./chunker/chunker.ts";
export { BlobCodec, sealedBound, sha256 } from "./crypto/blob-codec.ts";
export { generateMasterKey } from "./crypto/master-key.ts";
