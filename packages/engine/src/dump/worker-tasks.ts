import type { HandlersFor, TaskResult, WorkerContext } from "../cpu-pool/worker-context.ts";
import type { BlobCodec } from "../crypto/blob-codec.ts";
import type { BlobTable } from "../index/blob-table.ts";
import { plaintextBytes } from "../stats/node-counters.ts";
import type { DumpTasks, OpenBlobsInput, OpenBlobsOutput } from "./tasks.ts";

/** Opens blobs of a part of a pack; each is compared with its id. */
export function openBlobs(
  codec: BlobCodec,
  table: BlobTable,
  input: OpenBlobsInput,
): OpenBlobsOutput {
  const { data, startOffset, entries } = input;
  const places = Array.from(entries, (entry) => table.locationOf(entry));
  // A box that is too short for its overhead does not hold.
  const total = places.reduce((sum, place) => sum + Math.max(0, plaintextBytes(place)), 0);
  const content = new Uint8Array(total);
  const ends = new Uint32Array(entries.length);
  const holds = new Uint8Array(entries.length);
  const id = new Uint8Array(32);
  let end = 0;
  for (const [i, place] of places.entries()) {
    const start = place.offset - startOffset;
    const box = data.subarray(start, start + place.length);
    table.idBytesOf(entries[i] as number, id);
    const plaintext = codec.open(id, box, place.uncompressedLength);
    if (plaintext !== undefined) {
      content.set(plaintext, end);
      end += plaintext.length;
      holds[i] = 1;
    }
    ends[i] = end;
  }
  return { content, ends, holds };
}

function openInWorker(
  { codec, table }: WorkerContext,
  input: OpenBlobsInput,
): TaskResult<OpenBlobsOutput> {
  const output = openBlobs(codec, table, input);
  // Gives the memory back now instead of at the next garbage collection.
  input.data.buffer.transfer(0);
  return { output, transfer: [output.content.buffer] };
}

export const dumpHandlers: HandlersFor<DumpTasks> = { "dump.open": openInWorker };
