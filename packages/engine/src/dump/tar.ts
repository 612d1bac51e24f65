import type { DumpPart } from "./read-windows.ts";
import { TAR_BLOCK_BYTES, tarHeader, tarPadding } from "./tar-header.ts";

/** A tar file of these parts. */
export async function* writeTar(
  windows: AsyncIterable<readonly DumpPart[]>,
): AsyncGenerator<Uint8Array> {
  let padding: Uint8Array = new Uint8Array(0);
  for await (const parts of windows) {
    for (const part of parts) {
      if (part instanceof Uint8Array) {
        yield part;
        continue;
      }
      yield padding;
      yield tarHeader(part);
      padding = tarPadding(part.sizeBytes);
    }
  }
  yield padding;
  // Two empty blocks are the end.
  yield Buffer.alloc(2 * TAR_BLOCK_BYTES);
}
