import { isUtf8 } from "node:buffer";

/**
 * File names on Linux are bytes, not text. A `ByteString` holds those bytes one per UTF-16 unit
 * (the "latin1" reading), so that
 * - no name is ever damaged by a decoding,
 * - `a < b` compares raw bytes, which is the order a tree needs,
 * - V8 stores it in one byte a character, and an ASCII name is simply itself.
 *
 * It is never shown to a person as it is: see `displayText`.
 */
export type ByteString = string & { readonly __bytes?: never };

/** True where every character is ASCII: then the byte string is its own text. */
export function isAscii(value: string): boolean {
  for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) > 0x7f) return false;
  return true;
}

/** The byte string of `bytes`. */
export function byteStringFromBytes(bytes: Uint8Array): ByteString {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** The byte string of ordinary text, as UTF-8. */
export function byteStringFromText(text: string): ByteString {
  return isAscii(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}

/** The bytes of a byte string. */
export function bytesOf(value: ByteString): Buffer {
  return Buffer.from(value, "latin1");
}

/** What Node's `fs` functions accept: the string itself where it is ASCII, its bytes otherwise. */
export function nodePath(value: ByteString): string | Buffer {
  return isAscii(value) ? value : Buffer.from(value, "latin1");
}

/** One code point in UTF-8, or (in the group) a byte that begins none. */
const UTF8_PIECE =
  /[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|([\s\S])/g;
const REPLACEMENT_BYTES = "\xef\xbf\xbd";

/**
 * Text for a person: UTF-8 where the bytes are valid, U+FFFD for each that is not. A decoder of
 * JavaScript gives one U+FFFD for several bytes of a sequence that is cut off; Go, and so restic's
 * JSON and the paths of its snapshots, one for each.
 */
export function displayText(value: ByteString): string {
  if (isAscii(value)) return value;
  const bytes = Buffer.from(value, "latin1");
  if (isUtf8(bytes)) return bytes.toString("utf8");
  const valid = value.replaceAll(UTF8_PIECE, (piece, bad?: string) =>
    bad === undefined ? piece : REPLACEMENT_BYTES,
  );
  return Buffer.from(valid, "latin1").toString("utf8");
}
