import type { TaskResult, WorkerContext } from "../cpu-pool/worker-context.ts";
import { encodeUnpacked } from "../crypto/unpacked.ts";
import { encodeIndexFile } from "../index/index-file.ts";
import { packedBlob } from "../pack/packer.ts";
import type { EncodeIndexInput, EncodeIndexOutput } from "./tasks.ts";

/** Makes an index file, sealed as it is stored. */
export function encodeIndex(
  { codec, table, setup }: WorkerContext,
  { packs }: EncodeIndexInput,
): TaskResult<EncodeIndexOutput> {
  const listed = packs.map(({ blobs, ...pack }) => ({
    ...pack,
    // One at a time: as garbage of a moment they cost half of what 50,000 of them that stay do.
    blobs:
      blobs instanceof Uint32Array
        ? blobs.values().map((entry) => packedBlob(table, entry))
        : blobs,
  }));
  const stored = encodeUnpacked(encodeIndexFile(listed), setup.version, codec);
  return { output: { stored }, transfer: [stored.buffer] };
}
