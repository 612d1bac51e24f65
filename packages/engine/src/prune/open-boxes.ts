import { sealedBound } from "../crypto/blob-codec.ts";
import type { TaskResult, WorkerContext } from "../cpu-pool/worker-context.ts";
import type { OpenBoxesInput, OpenBoxesOutput, ResealedBlob } from "./tasks.ts";

/**
 * Proves that each blob is what its id says before it is copied: its box then goes into the new
 * pack as it is, for a box is as good in one pack as in another.
 */
export function openBoxes(
  { codec, table }: WorkerContext,
  { data, startOffset, entries, recompress }: OpenBoxesInput,
): TaskResult<OpenBoxesOutput> {
  const damaged: number[] = [];
  const resealed: ResealedBlob[] = [];
  const id = new Uint8Array(32);
  for (const entry of entries) {
    const { offset, length, uncompressedLength } = table.locationOf(entry);
    const start = offset - startOffset;
    table.idBytesOf(entry, id);
    const plaintext = codec.open(id, data.subarray(start, start + length), uncompressedLength);
    if (plaintext === undefined) {
      damaged.push(entry);
    } else if (recompress && uncompressedLength === 0) {
      const target = new Uint8Array(sealedBound(plaintext.length));
      // A copy: sealing verifies by opening, which uses the same buffer.
      const sealed = codec.seal(table.typeOf(entry), id, plaintext.slice(), target);
      const box = target.slice(0, sealed.length);
      resealed.push({ entry, box, uncompressedLength: sealed.uncompressedLength });
    }
  }
  const transfer = [data.buffer, ...resealed.map(({ box }) => box.buffer)];
  return { output: { data, damaged, resealed }, transfer };
}
