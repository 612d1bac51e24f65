import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { damaged, UNPACKED_MAX_BYTES } from "@comeback/core";
import type { BoxCipher } from "./box.ts";

const VERSION_COMPRESSED = 2;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;

/** An index, snapshot or lock as it is stored: a box around JSON, in version 2 compressed. */
export function encodeUnpacked(
  json: Uint8Array,
  version: 1 | 2,
  cipher: BoxCipher,
): Uint8Array<ArrayBuffer> {
  if (version === 1) return cipher.seal(json);
  const compressed = zstdCompressSync(json);
  const content = new Uint8Array(compressed.length + 1);
  content[0] = VERSION_COMPRESSED;
  content.set(compressed, 1);
  return cipher.seal(content);
}

/**
 * The JSON bytes behind a stored file, whatever version wrote it: the first byte tells plain JSON
 * from compressed JSON. `what` names the file in the error.
 */
export function decodeUnpacked(stored: Uint8Array, cipher: BoxCipher, what: string): Uint8Array {
  const content = cipher.open(stored);
  if (content === undefined) throw damaged(what, "its authentication code does not hold");
  const first = content[0];
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return content;
  if (first !== VERSION_COMPRESSED) throw damaged(what, "it is neither JSON nor compressed JSON");
  try {
    return zstdDecompressSync(content.subarray(1), { maxOutputLength: UNPACKED_MAX_BYTES });
  } catch (cause) {
    throw damaged(what, "it does not decompress", cause);
  }
}
