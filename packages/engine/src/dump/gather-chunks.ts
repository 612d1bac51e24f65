import { DUMP_OUTPUT_BYTES } from "@comeback/core";

/** A piece of this size is a good write by itself, and is not copied. */
const LARGE_CHUNK_BYTES = DUMP_OUTPUT_BYTES / 4;

/** The same bytes in few large pieces: each piece is a write to a file or pipe. */
export async function* gatherChunks(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let gathered = Buffer.allocUnsafeSlow(DUMP_OUTPUT_BYTES);
  let bytes = 0;
  for await (const chunk of chunks) {
    const isLarge = chunk.length >= LARGE_CHUNK_BYTES;
    if (bytes > 0 && (isLarge || bytes + chunk.length > DUMP_OUTPUT_BYTES)) {
      yield gathered.subarray(0, bytes);
      gathered = Buffer.allocUnsafeSlow(DUMP_OUTPUT_BYTES);
      bytes = 0;
    }
    if (isLarge) {
      yield chunk;
    } else {
      gathered.set(chunk, bytes);
      bytes += chunk.length;
    }
  }
  if (bytes > 0) yield gathered.subarray(0, bytes);
}
