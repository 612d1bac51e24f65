import { zstdDecompressSync } from "node:zlib";
import { assert, damaged, UNPACKED_MAX_BYTES } from "@comeback/core";
import { compressBound, type Zstd } from "@comeback/platform";
import type { BoxCipher } from "./box.ts";

/** What seals and opens such files; a codec has both. */
export interface UnpackedCodec {
  readonly cipher: BoxCipher;
  readonly zstd: Zstd;
}

const VERSION_COMPRESSED = 2;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;

/** An index, snapshot or lock as it is stored: a box around JSON, in version 2 compressed. */
export function encodeUnpacked(
  json: Uint8Array,
  version: 1 | 2,
  { cipher, zstd }: UnpackedCodec,
): Uint8Array<ArrayBuffer> {
  if (version === 1) return cipher.seal(json);
  const content = new Uint8Array(1 + compressBound(json.length));
  content[0] = VERSION_COMPRESSED;
  const written = zstd.compress(json, content.subarray(1));
  assert(written > 0, "zstd could not compress a file");
  return cipher.seal(content.subarray(0, 1 + written));
}

/**
 * The JSON bytes behind a stored file, whatever version wrote it: the first byte tells plain JSON
 * from compressed JSON. `what` names the file in the error.
 */
export function decodeUnpacked(
  stored: Uint8Array,
  { cipher, zstd }: UnpackedCodec,
  what: string,
): Uint8Array {
  const content = cipher.open(stored);
  if (content === undefined) throw damaged(what, "its authentication code does not hold");
  const first = content[0];
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return content;
  if (first !== VERSION_COMPRESSED) throw damaged(what, "it is neither JSON nor compressed JSON");
  try {
    return decompress(content.subarray(1), zstd);
  } catch (cause) {
    throw damaged(what, "it does not decompress", cause);
  }
}

/** The context that is there already opens a small file in a fraction of the time of a new one. */
function decompress(frame: Uint8Array, zstd: Zstd): Uint8Array {
  const size = zstd.contentSize(frame);
  if (size >= 0 && size <= UNPACKED_MAX_BYTES) {
    const json = new Uint8Array(size);
    if (zstd.decompress(frame, json) === size) return json;
  }
  // It does not say its size, or not that of all of it.
  return zstdDecompressSync(frame, { maxOutputLength: UNPACKED_MAX_BYTES });
}
