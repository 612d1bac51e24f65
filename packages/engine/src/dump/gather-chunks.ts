import { DUMP_OUTPUT_BYTES } from "@comeback/core";

/** The same bytes in few large pieces: each piece is a write to a file or pipe. */
export async function* gatherChunks(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let gathered: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    gathered.push(chunk);
    bytes += chunk.length;
    if (bytes < DUMP_OUTPUT_BYTES && gathered.length < DUMP_OUTPUT_BYTES) continue;
    yield gathered.length === 1 ? chunk : Buffer.concat(gathered, bytes);
    gathered = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(gathered, bytes);
}
